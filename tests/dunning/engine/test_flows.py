"""A case from its opening to its end, against the fake provider: what begins it, what moves it, what ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import (
    BillingCustomer,
    BillingOrder,
    Invoice,
    OrderKind,
    PaymentAttempt,
    PaymentMethod,
    Subscription,
)
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from accounts.services.let_go import let_go
from dunning.cases.state import IllegalStep
from dunning.cases.steps import StepKind
from dunning.models import DunningCase, DunningPolicyVersion
from dunning.services import case_verbs, settled
from dunning.services.cases import look_at_customer, look_at_invoice, open_case
from health.models import QueueItem
from tests.builders import make_account, make_state
from tests.dunning.engine import world
from tests.dunning.engine.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def refresh(shop: Shop, *ids: str) -> None:
    """What a message of the provider does: read afresh, apply, let the jobs follow."""
    with shop.scope():
        from accounts.services.billing_orders import connected

        reader = Reader(paced_gateway(connected()))  # type: ignore[arg-type]
    for name in ids:
        reader.read(name)
    with shop.scope():
        reader.found.apply(now=timezone.now())


def opened(shop: Shop, *plans: Any) -> DunningCase:
    """The case of one invoice that failed by the plan's first step."""
    with shop.scope():
        invoice = world.fail(shop.fake, plans, 1)[0]
        case = open_case(invoice, now=timezone.now())
    assert case is not None
    return case


def kinds(case: DunningCase) -> list[str]:
    return list(case.steps.order_by("number").values_list("kind", flat=True))


def reread(case: DunningCase) -> DunningCase:
    found: DunningCase = DunningCase.objects.get(pk=case.pk)
    return found


def test_paid_at_the_provider_by_somebody_else(shop: Shop) -> None:
    case = opened(shop, ["insufficient_funds", "ok"])
    shop.fake.client().v1.invoices.pay(case.invoice.external_id, {"paid_out_of_band": True})
    refresh(shop, case.invoice.external_id)
    shop.work()
    with shop.scope():
        case = reread(case)
        assert (case.state, case.recovered_by) == ("recovered", "elsewhere")
        assert not BillingOrder.objects.exists() and world.unexplained() == []


def test_a_void_invoice_is_nobodys_debt(shop: Shop) -> None:
    case = opened(shop, ["insufficient_funds"])
    shop.fake.client().v1.invoices.void_invoice(case.invoice.external_id)
    refresh(shop, case.invoice.external_id)
    shop.work()
    with shop.scope():
        assert (reread(case).state, reread(case).closing_reason) == ("canceled", "voided")


def test_who_left_on_purpose_is_not_dunned(shop: Shop) -> None:
    invoice = shop.fail(["insufficient_funds"])[0]
    with shop.scope():
        subscription = Subscription.objects.create(
            account=invoice.account,
            external_id="sub_1",
            currency="USD",
            started_at=timezone.now() - timedelta(days=90),
            provider="stripe",
        )
        invoice.subscription = subscription
        invoice.save()
        case = open_case(invoice, now=timezone.now())
        assert case is not None
        subscription.ended_at, subscription.ended_cause = timezone.now(), "voluntary"
        subscription.save()
        look_at_invoice(invoice.pk, now=timezone.now())
        assert reread(case).closing_reason == "subscription_canceled"
        case.steps.all().delete()
        case.delete()
        assert open_case(invoice, now=timezone.now()) is None
        subscription.delete()
        invoice.refresh_from_db()
        let_go(account=invoice.account, note="too small", acting_user=shop.cast.ada, now=timezone.now())
        assert open_case(invoice, now=timezone.now()) is None


def test_old_failures_begin_no_case(shop: Shop) -> None:
    invoice = shop.fail(["insufficient_funds"])[0]
    with shop.scope():
        assert open_case(invoice, now=timezone.now() + timedelta(days=60)) is None


def test_a_new_card_is_charged_at_once(shop: Shop) -> None:
    case = opened(shop, ["stolen_card"])
    with shop.scope():
        assert reread(case).phase == "waiting_for_card"
        customer = case.invoice.customer
    client = shop.fake.client()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.external_id})
    client.v1.customers.update(
        customer.external_id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    refresh(shop, customer.external_id, method.id)
    shop.work(rounds=2)
    with shop.scope():
        case = reread(case)
        assert case.state == "recovered" and "card_updated" in kinds(case)
        order = BillingOrder.objects.get()
        assert (order.made_by, order.method, order.state) == ("person", method.id, "succeeded")
        assert world.disagreements(shop.fake) == {}


def test_a_refused_duplicate_is_looked_at_before_anything_else(shop: Shop) -> None:
    case = opened(shop, ["generic_decline", "duplicate_transaction", "ok"])
    with shop.scope():
        case_verbs.retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())
    from accounts.services.jobs import run_due_jobs

    run_due_jobs(limit=1, kind="accounts.billing_order")
    with shop.scope():
        assert reread(case).phase == "checking"
    shop.work()
    with shop.scope():
        last = reread(case).steps.order_by("-number").first()
        assert (last.kind, last.reason) == ("retry_planned", "after_check")
        assert BillingOrder.objects.count() == 1 and world.unexplained() == []


def test_what_the_person_must_confirm_is_not_charged_again(shop: Shop, clock: Callable[..., None]) -> None:
    case = opened(shop, ["insufficient_funds", "3ds", "3ds", "3ds"])
    with shop.scope():
        case_verbs.retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())
    shop.work()
    with shop.scope():
        assert reread(case).phase == "waiting_for_confirmation"
        assert BillingOrder.objects.get().state == "action_needed"
    with shop.later(days=20):
        shop.work(rounds=3)
    with shop.scope():
        assert BillingOrder.objects.count() == 1


def test_a_debit_that_takes_days(shop: Shop) -> None:
    case = opened(shop, ["insufficient_funds", "ok"])
    client, customer = shop.fake.client(), case.invoice.customer.external_id
    made = client.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "DE89370400440532013000"},
            "billing_details": {"email": "a@example.com", "name": "A"},
        }
    )
    method = client.v1.payment_methods.attach(made.id, {"customer": customer})
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})
    refresh(shop, customer, method.id)
    shop.work(rounds=2)
    with shop.scope():
        assert BillingOrder.objects.get().state == "pending"
        assert reread(case).phase == "checking"
    with shop.later(days=5):
        shop.work(rounds=2)
        with shop.scope():
            assert BillingOrder.objects.get().state == "succeeded"
            assert reread(case).state == "recovered"
            assert world.disagreements(shop.fake) == {} and world.unexplained() == []


@pytest.mark.parametrize("end", ["cancel", "pause", "leave_past_due"])
def test_the_end_that_the_policy_wants(shop: Shop, end: str) -> None:
    with shop.scope():
        version = DunningPolicyVersion.objects.get()
        version.definition |= {"end_state": end, "marks_uncollectible": True}
        version.save()
    seeded = shop.fake.seed(1, plans=[["ok", "insufficient_funds"]], subscriptions=True, fail=True)
    shop.fake.advance(days=32)
    invoice_id = shop.fake.ledger(status="failed")[0]["invoice"]
    refresh(shop, invoice_id)
    import time_machine

    with time_machine.travel(shop.fake.now(), tick=True):
        shop.work()
    shop.fake.advance(days=29)
    with time_machine.travel(shop.fake.now(), tick=True):
        shop.work(rounds=3)
        with shop.scope():
            case = DunningCase.objects.get()
            assert (case.state, case.closing_reason) == ("uncollectible", end)
            states = dict(BillingOrder.objects.exclude(kind="pay").values_list("kind", "state"))
            assert set(states.values()) == {"succeeded"}
    refresh(shop, seeded["subscriptions"][0])
    with shop.scope():  # nobody's wish, whatever the provider calls it
        assert Subscription.objects.get().ended_cause == ("involuntary" if end == "cancel" else "")
    found = shop.fake.client().v1.subscriptions.retrieve(seeded["subscriptions"][0])
    assert (found.status == "canceled") == (end == "cancel")
    assert (found.pause_collection is not None) == (end == "pause")
    assert shop.fake.client().v1.invoices.retrieve(invoice_id).status == "uncollectible"


def test_the_providers_own_retries_end_where_ours_begin(shop: Shop) -> None:
    with shop.scope():
        invoice = world.fail(shop.fake, [["insufficient_funds"]], 1)[0]
        invoice.is_auto_advance = True
        invoice.save()
        open_case(invoice, now=timezone.now())
    shop.work()
    with shop.scope():
        assert BillingOrder.objects.get(kind=OrderKind.TAKE_OVER).state == "succeeded"
    assert shop.fake.client().v1.invoices.retrieve(invoice.external_id).auto_advance is False


def test_without_a_provider_a_person_is_asked(shop: Shop, clock: Callable[..., None]) -> None:
    with shop.scope():
        account = make_account("Kiln", csm=shop.cast.ben)
        make_state(account)
        invoice = Invoice.objects.create(
            account=account,
            external_id="R-1",
            amount_minor=90_000,
            currency="EUR",
            status="open",
            due_at=timezone.now(),
        )
        PaymentAttempt.objects.create(
            invoice=invoice, account=account, number=1, attempted_at=timezone.now(), status="failed"
        )
        case = open_case(invoice, now=timezone.now())
        assert case is not None
    clock(timezone.now() + timedelta(days=6))
    shop.work(rounds=2)
    with shop.scope():
        item = QueueItem.objects.get(source=f"dunning:{case.pk}")
        assert item.evidence["arr_minor"] == 4_800_000 and item.evidence["reason"] == "not_automatic"
        assert not BillingOrder.objects.exists()
        case_verbs.mark_paid_by_hand(case=case, acting_user=shop.cast.ada, now=timezone.now())
        assert reread(case).recovered_by == "elsewhere"
        assert QueueItem.objects.get(pk=item.pk).closed_at is not None
        assert world.unexplained() == []


def test_a_stopped_case_rests_until_it_is_resumed(shop: Shop, clock: Callable[..., None]) -> None:
    case = opened(shop, ["insufficient_funds", "ok"])
    with shop.scope():
        case_verbs.retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())
        case_verbs.stop(case=case, acting_user=shop.cast.ada, now=timezone.now())
        assert BillingOrder.objects.get().state == "canceled"
    with shop.later(days=40):
        shop.work(rounds=2)
        with shop.scope():
            assert reread(case).phase == "stopped" and not shop.charge_posts()
            case_verbs.resume(case=case, acting_user=shop.cast.ada, now=timezone.now())
    with shop.morning(days=45):
        shop.work(rounds=2)
        with shop.scope():
            assert reread(case).state == "recovered"


def test_a_retry_that_nothing_made_in_time_waits_for_the_morning(
    shop: Shop, clock: Callable[..., None]
) -> None:
    case = opened(shop, ["insufficient_funds", "ok"])
    with shop.scope():
        planned = reread(case).next_retry_at
    evening = (planned + timedelta(days=1)).replace(hour=21, minute=0)
    with time_machine.travel(evening, tick=True):
        shop.work(rounds=2)
        with shop.scope():
            assert not BillingOrder.objects.exists()
            again = reread(case).next_retry_at
            assert again > evening and 6 <= again.hour < 10
    with time_machine.travel(again + timedelta(minutes=50), tick=True):  # a little late is in time
        shop.work(rounds=2)
        with shop.scope():
            assert reread(case).state == "recovered" and world.unexplained() == []


def test_a_valuable_account_comes_to_its_csm(shop: Shop) -> None:
    case = opened(shop, ["lost_card"])
    with shop.scope():
        make_state(case.account, arr_minor=4_800_000)
    with shop.later(days=8):
        shop.work()
        with shop.scope():
            assert QueueItem.objects.get().evidence["arr_minor"] == 4_800_000
            assert reread(case).handed_over_at is not None
            case_verbs.close(case=case, acting_user=shop.cast.ada, now=timezone.now())
            assert QueueItem.objects.get().closed_at is not None


def test_the_updater_replaces_the_card(shop: Shop) -> None:
    case = opened(shop, ["expired_card"])
    with shop.scope():
        method = PaymentMethod.objects.get()
        customer = BillingCustomer.objects.get()
    shop.fake.control("POST", "cards/replace", payment_method=method.external_id, plan=["ok"])
    with shop.scope():
        PaymentMethod.objects.update(replaced_at=timezone.now(), fingerprint="another")
        look_at_customer(customer.pk)
    shop.work(rounds=2)
    with shop.scope():
        assert reread(case).state == "recovered"
        assert BillingOrder.objects.get().made_by == "platform"


def test_a_charge_that_is_not_owed_any_more_is_not_sent(shop: Shop) -> None:
    case = opened(shop, ["processing_error", "ok"])
    with shop.scope():
        case_verbs.retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())
        Invoice.objects.update(status="void")  # a message came while the order waited for its worker
    shop.work(rounds=2)
    with shop.scope():
        assert BillingOrder.objects.get().state == "canceled" and not shop.charge_posts()
        assert reread(case).closing_reason == "voided" and world.unexplained() == []


def test_an_end_that_the_provider_refuses_is_told(shop: Shop) -> None:
    case = opened(shop, ["insufficient_funds"])
    with shop.scope():
        version = DunningPolicyVersion.objects.get()
        version.definition |= {"end_state": "cancel"}
        version.save()
        gone = Subscription.objects.create(
            account=case.account,
            external_id="sub_gone",
            currency="USD",
            started_at=timezone.now() - timedelta(days=90),
            provider="stripe",
        )
        Invoice.objects.update(subscription=gone)
    with shop.later(days=29):
        shop.work(rounds=2)
        with shop.scope():
            assert BillingOrder.objects.get(kind=OrderKind.CANCEL).state == "failed"
            last = reread(case).steps.order_by("-number").first()
            assert (last.kind, reread(case).state) == ("note", "uncollectible")
            assert "resource_missing" in last.detail["text"] and world.unexplained() == []


def test_a_refusal_for_good_that_is_learnt_after_the_card_was_changed(shop: Shop) -> None:
    """It speaks of the former card: booked as it is, and the new one is charged."""
    shop.due_retries(["insufficient_funds", "lost_card"], count=1)
    shop.fake.faults({"kind": "drop_after", "path": "/v1/invoices/*/pay", "next": 1})
    shop.charge_once(1)
    with shop.scope():
        case = DunningCase.objects.get()
        customer = case.invoice.customer.external_id
    v1 = shop.fake.client().v1
    made = v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    v1.customers.update(customer, {"invoice_settings": {"default_payment_method": made.id}})
    refresh(shop, customer, made.id)
    shop.work(rounds=3)
    with shop.scope():
        assert reread(case).state == "recovered"
        tries = BillingOrder.objects.order_by("number").values_list("decline_code", "state")
        assert list(tries) == [("lost_card", "failed"), ("", "succeeded")]
        assert world.disagreements(shop.fake) == {} and world.unexplained() == []


def test_a_charge_is_booked_even_if_its_case_cannot_be_planned(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.due_retries(["insufficient_funds", "generic_decline", "ok"], count=1)

    def refuse(*_: Any, **__: Any) -> None:
        raise IllegalStep(StepKind.RETRY_PLANNED, "planted")

    with monkeypatch.context() as patched:
        patched.setattr(settled, "plan", refuse)
        shop.charge_once(1)
    with shop.scope():
        assert BillingOrder.objects.get().state == "failed"
        assert PaymentAttempt.objects.filter(order__isnull=False).count() == 1
        assert world.disagreements(shop.fake) == {} and world.unexplained() == []
