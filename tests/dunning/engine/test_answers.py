"""What becomes of a charge whose answer is lost, late or nonsense: one charge, booked once, and nothing guessed."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from django.utils import timezone

from accounts.models import BillingOrder, PaymentMethod
from accounts.services.billing_orders import OrderRefused, place_charge
from dunning.models import DunningCase
from dunning.services.case_verbs import CaseRefused, close, retry_now
from tests.dunning.engine import world
from tests.dunning.engine.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
PAY = "/v1/invoices/*/pay"
SOAK = pytest.mark.soak


def states() -> dict[str, int]:
    return dict(Counter(BillingOrder.objects.values_list("state", flat=True)))


@pytest.mark.parametrize("count", [30, pytest.param(5000, marks=SOAK)])
def test_lost_answers_are_asked_again_with_the_same_words(shop: Shop, count: int) -> None:
    shop.due_retries(["generic_decline", "ok"], ["generic_decline", "insufficient_funds"], count=count)
    shop.fake.faults({"kind": "drop_after", "path": PAY, "share": 0.2}, seed=4)
    shop.work(rounds=6)
    said = defaultdict(list)
    for request in shop.charge_posts():
        said[request["key"]].append(request["body"])
    replayed = [words for words in said.values() if len(words) > 1]
    print(f"{count} charges, {len(replayed)} asked again, {sum(map(len, said.values()))} calls")
    assert len(said) == count and len(replayed) > count / 10
    assert all(len(set(words)) == 1 for words in replayed)
    with shop.scope():
        assert world.disagreements(shop.fake) == {}
        assert world.unexplained() == []


@pytest.mark.parametrize("count", [16, pytest.param(500, marks=SOAK)])
def test_old_keys_are_never_sent_again(shop: Shop, count: int) -> None:
    """After 25 hours the provider has forgotten the keys: the outcome is read, not asked for."""
    shop.due_retries(["generic_decline", "ok"], ["generic_decline", "insufficient_funds"], count=count)
    # Of half of them the charge was made, of the others nothing; nobody here can tell.
    shop.fake.faults(
        {"kind": "drop_after", "path": PAY, "share": 0.5}, {"kind": "drop_before", "path": PAY}, seed=7
    )
    shop.charge_once(count)
    with shop.scope():
        assert states() == {"unknown": count}
    made = len(shop.fake.ledger()) - count
    shop.fake.faults()
    posts = len(shop.charge_posts())
    with shop.later(hours=25):
        shop.work()
        with shop.scope():
            settled = states()
            print(f"{count} unknown for 25 h, {made} had been made: {settled}, calls since: 0 POST")
            assert "unknown" not in settled
            assert len(shop.charge_posts()) == posts
            read = BillingOrder.objects.filter(was_read_back=True)
            assert read.count() == count
            never = read.filter(error_code="never_happened")
            assert never.count() == count - made > 0
            assert world.disagreements(shop.fake) == {}
    with shop.morning(days=4):
        shop.work(rounds=3)
        with shop.scope():  # what is proven not to have happened is tried afresh, under a new key
            again = BillingOrder.objects.filter(number=2)
            assert never.count() == again.filter(invoice__in=never.values("invoice")).count()
            assert world.disagreements(shop.fake) == {}
            assert world.unexplained() == []


# How the provider fails, what the order is then, and what it is once the provider is well again.
TABLE = [
    ("drop_before", "unknown", "succeeded"),
    ("drop_after", "unknown", "succeeded"),
    ("error_before", "unknown", "never_happened"),  # the provider keeps its 500 and repeats it
    ("error_after", "unknown", "succeeded"),
    ("unavailable", "unknown", "succeeded"),
    ("malformed", "unknown", "succeeded"),
    ("conflict", "sent", "succeeded"),
    ("rate_limit", "planned", "succeeded"),
]


@pytest.mark.parametrize("count", [2, pytest.param(100, marks=SOAK)])
def test_every_error_leads_to_its_state(shop: Shop, count: int) -> None:
    for kind, then, finally_ in TABLE:
        with shop.scope():
            BillingOrder.objects.all().delete()
        shop.due_retries(["generic_decline", "ok"], count=count)
        shop.fake.faults({"kind": kind, "path": PAY})
        shop.charge_once(count)
        with shop.scope():
            assert states() == {then: count}, kind
        shop.fake.faults()
        shop.work(rounds=2)
        with shop.later(hours=21):
            shop.work(rounds=2)
            with shop.scope():
                found = Counter(o.error_code or o.state for o in BillingOrder.objects.all())
                assert found == {finally_: count}, kind
                assert shop.fake.summary()["doubles"] == {}
                assert world.unexplained() == []
        shop.fake.reset()
        with shop.scope():
            BillingOrder.objects.all().delete()
            world.forget()
        print(f"{kind}: {count} × {then}, then {finally_}")


@pytest.mark.parametrize("count", [3, pytest.param(100, marks=SOAK)])
def test_declines(shop: Shop, count: int) -> None:
    """A soft one is planned anew; after a hard one neither plan nor person nor database lets a charge through."""
    shop.due_retries(
        ["generic_decline", "insufficient_funds"], ["generic_decline", "stolen_card"], count=2 * count
    )
    shop.work()
    posts = len(shop.charge_posts())
    with shop.scope():
        soft = DunningCase.objects.filter(decline_code="insufficient_funds")
        hard = DunningCase.objects.filter(decline_code="stolen_card")
        assert soft.count() == hard.count() == count
        assert set(soft.values_list("phase", flat=True)) == {"planned_retry"}
        assert set(hard.values_list("phase", flat=True)) == {"waiting_for_card"}
        assert PaymentMethod.objects.filter(blocked_at__isnull=False).count() == count
        for case in hard:
            with pytest.raises(CaseRefused):
                retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())
            # And if everything above had forgotten it, the database would not.
            invoice, now = case.invoice, timezone.now()
            with pytest.raises(OrderRefused, match="hard_decline"):
                place_charge(invoice=invoice, day=now.date(), now=now, method=invoice.customer.default_method)
        for case in soft:
            close(case=case, acting_user=shop.cast.ada, now=timezone.now())
    with shop.later(days=20):
        shop.work(rounds=3)
    assert len(shop.charge_posts()) == posts
    with shop.scope():
        assert BillingOrder.objects.filter(invoice__in=hard.values("invoice")).count() == count
