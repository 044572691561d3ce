"""A cancellation that lies ahead: what is owed until then is tried silently, and nobody is pressed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import BillingOrder, ContactHold, Invoice, OrderKind, OutboundEmail, Subscription
from accounts.services.billing_orders import connected
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.queries.collecting import waiting_invoices
from dunning.services import banner
from dunning.services.case_work import look_at_case
from dunning.services.cases import look_at_invoice, open_case
from dunning.services.notices import follow
from dunning.services.policies import version_in_force
from health.models import QueueItem, RunState, SequenceRun
from tests.accounts.web import web
from tests.builders import make_state, make_subscription
from tests.dunning.engine import world as engine_world
from tests.dunning.notices.world import NOW, failed, hold_out, opened, owing
from tests.dunning.pay.world import Shop
from tests.fake_stripe.running import FakeStripe

DAY = timedelta(days=1)
ENDS = NOW + 12 * DAY


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        engine_world.connect(per_second=1000)
    return Shop(fake_stripe, cast)


def leaving(code: str = "insufficient_funds", **invoice: Any) -> tuple[Invoice, Subscription]:
    """An account that has canceled as of ENDS, as a provider's mirror says it, and its failed invoice."""
    account, _person = owing()
    subscription = make_subscription(account, mrr_minor=4_900)
    Subscription.objects.filter(pk=subscription.pk).update(cancel_at=ENDS, ended_reason="too_expensive")
    make_state(account)
    made = failed(account, code=code, subscription=subscription, **invoice)
    return made, subscription


def steps(case: DunningCase) -> list[str]:
    return list(case.steps.order_by("number").values_list("kind", flat=True))


def run_until(case: DunningCase, moment: datetime, *, since: datetime = NOW) -> None:
    """Look as often as the case asks for it."""
    now = since
    while now < moment:
        again_at = look_at_case(case.pk, now=now)
        follow(case.pk, now=now)
        if again_at is None:
            break
        now = min(max(again_at, now + timedelta(minutes=1)), moment)


def test_nobody_is_written_to_and_no_end_is_ordered(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        version = version_in_force()
        version.definition |= {"end_state": "cancel"}
        version.save()
        invoice, _subscription = leaving()
        Subscription.objects.update(cancel_at=NOW + 60 * DAY)
        case = opened(invoice)
        assert "leaving" in steps(case) and case.leaves_at == NOW + 60 * DAY
        run_until(case, NOW + 40 * DAY)
        case.refresh_from_db()
        assert (case.state, case.closing_reason) == ("uncollectible", "leaving")
        assert not OutboundEmail.objects.exists() and not SequenceRun.objects.exists()
        assert not BillingOrder.objects.exclude(kind=OrderKind.PAY).exists()
        assert not banner.banner_of(case.account, now=NOW).is_due
        assert engine_world.unexplained() == []


def test_where_only_the_customer_could_help_a_csm_is_asked_once(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        invoice, _subscription = leaving(code="lost_card")
        case = opened(invoice)
        item = QueueItem.objects.get(source=f"dunning:{case.pk}")
        assert item.evidence["reason"] == "leaving" and item.closed_at is None
        run_until(case, NOW + 5 * DAY)
        assert QueueItem.objects.count() == 1 and steps(case).count("handed_over") == 1
        assert "notice_begun" not in steps(case)


def test_planned_while_notices_run_and_taken_back(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        invoice, _subscription = leaving(code="expired_card")
        Subscription.objects.update(cancel_at=None, ended_reason="")
        case = opened(invoice)
        hold_out(case, False)
        assert "notice_begun" in steps(case) and ContactHold.objects.filter(released_at=None).exists()
        Subscription.objects.update(cancel_at=ENDS, ended_reason="cancellation_requested")
        look_at_invoice(invoice.pk, now=NOW + DAY)
        follow(case.pk, now=NOW + DAY)
        look_at_case(case.pk, now=NOW + DAY)
        case.refresh_from_db()
        run = SequenceRun.objects.get()
        assert run.state == RunState.PAUSED and case.leaves_at == ENDS
        assert not ContactHold.objects.filter(released_at=None).exists()  # free for who wants to keep them
        assert QueueItem.objects.get(closed_at=None).evidence["reason"] == "leaving"
        Subscription.objects.update(cancel_at=None, ended_reason="")
        look_at_invoice(invoice.pk, now=NOW + 2 * DAY)
        follow(case.pk, now=NOW + 2 * DAY)
        case.refresh_from_db()
        run.refresh_from_db()
        assert case.leaves_at is None and run.state in (RunState.ACTIVE, RunState.WAITING)
        assert ContactHold.objects.filter(released_at=None).exists()
        assert not QueueItem.objects.filter(closed_at=None).exists()
        assert steps(case)[-1] != "notice_begun" and "staying" in steps(case)
        assert engine_world.unexplained() == []


def test_when_the_day_comes_they_have_left(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        account, _person = owing()
        subscription = make_subscription(account, mrr_minor=4_900)
        # As a file brings it: the end lies ahead.
        Subscription.objects.filter(pk=subscription.pk).update(ended_at=ENDS, ended_cause="voluntary")
        invoice = failed(account, code="insufficient_funds", subscription=subscription)
        case = opened(invoice)
        assert case.leaves_at == ENDS and case.state == "open"
        assert [row.invoice_id for row in waiting_invoices(since=NOW - DAY, now=NOW)] == []
        run_until(case, ENDS + DAY)
        case.refresh_from_db()
        assert (case.state, case.closing_reason) == ("canceled", "subscription_canceled")
        assert not OutboundEmail.objects.exists()


def test_a_contract_that_runs_out_is_no_wish(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        invoice, _subscription = leaving(code="expired_card")
        Subscription.objects.update(ended_reason="")
        case = opened(invoice)
        assert case.leaves_at is None and "notice_begun" in steps(case)


def test_time_after_the_planned_end_is_not_owed(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        invoice, _subscription = leaving(code="processing_error")
        Invoice.objects.update(period_start=ENDS, period_end=ENDS + 30 * DAY)
        invoice.refresh_from_db()
        assert open_case(invoice, now=NOW) is None
        engine_world.connect()
        Invoice.objects.update(period_start=NOW - DAY, provider="stripe")  # for both: a person decides
        invoice.refresh_from_db()
        case = open_case(invoice, now=NOW)
        assert case is not None
        run_until(case, ENDS - DAY)
        assert not BillingOrder.objects.exists()
        assert case.steps.filter(kind="retry_not_planned", reason="leaves_before").exists()


def test_at_the_provider_from_the_wish_to_the_last_day(shop: Shop) -> None:
    """Planned, taken back, planned again; on the day the case is over, and the churn voluntary."""
    case = renewal_failed(shop)
    v1 = shop.fake.client().v1
    with shop.scope():
        assert case.invoice.subscription is not None
        name = case.invoice.subscription.external_id
    v1.subscriptions.update(
        name, {"cancel_at_period_end": True, "cancellation_details": {"feedback": "unused"}}
    )
    refresh(shop, name)
    shop.work()
    assert shop.again(case).leaves_at is not None
    v1.subscriptions.update(name, {"cancel_at_period_end": False})
    refresh(shop, name)
    shop.work()
    assert shop.again(case).leaves_at is None
    last_day = int((timezone.now() + 12 * DAY).timestamp())
    v1.subscriptions.update(name, {"cancel_at": last_day})
    refresh(shop, name)
    shop.work()
    end = shop.again(case).leaves_at
    assert end is not None
    shop.fake.advance(days=(end - timezone.now()).days + 2)
    with time_machine.travel(end + DAY, tick=True):
        shop.work(rounds=4)  # nothing told us: the case's own job asks
        with shop.scope():
            closed = shop.again(case)
            assert (closed.state, closed.closing_reason) == ("canceled", "subscription_canceled")
            assert Subscription.objects.get().ended_cause == "voluntary"
            assert not BillingOrder.objects.filter(kind=OrderKind.CANCEL).exists()
            assert engine_world.unexplained() == []


def renewal_failed(shop: Shop) -> DunningCase:
    """A subscription of a month whose second payment failed today."""
    shop.fake.freeze(int((timezone.now() - 32 * DAY).timestamp()))
    v1 = shop.fake.client().v1
    customer = v1.customers.create({"name": "Northwind"})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    shop.fake.outcomes(["ok", *["insufficient_funds"] * 9], payment_method=card.id)
    made = shop.subscribe(customer.id)
    shop.fake.advance(days=32)
    now = v1.subscriptions.retrieve(made.id)
    return shop._heard_of(str(now.latest_invoice))


def refresh(shop: Shop, name: str) -> None:
    """As the provider's message would have it."""
    with shop.scope():
        reader = Reader(paced_gateway(connected()))  # type: ignore[arg-type]
    reader.read(name)
    with shop.scope():
        reader.found.apply(now=timezone.now())


def test_the_case_says_so(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        invoice, _subscription = leaving(code="insufficient_funds")
        case = opened(invoice)
    page = web(cast.ada).get(f"/dunning/cases/{case.public_id}/").content.decode()
    assert "leaves on purpose" in page and "The customer has canceled for" in page
