"""Stripe's v1 rules: the first result is kept, 500s too, for 24 hours; refused parameters and conflicts are not."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.fake_stripe.running import start
from tests.fake_stripe.shop import START, open_shop


def test_the_same_key_replays_the_first_answer(shop):
    invoice = shop.open_invoice()
    first, second = shop.pay(invoice.id, "k"), shop.pay(invoice.id, "k")
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert second.last_response.headers["original-request"] == first.last_response.request_id
    assert first.last_response.body == second.last_response.body
    assert len(shop.fake.ledger()) == 1


def test_a_decline_is_replayed_even_when_the_card_would_work_now(shop):
    invoice = shop.open_invoice("insufficient_funds", "ok")
    codes = []
    for _ in range(3):
        with pytest.raises(stripe.CardError) as raised:
            shop.pay(invoice.id, "k")
        codes.append(raised.value.error.decline_code)
    assert codes == ["insufficient_funds"] * 3
    assert len(shop.fake.ledger()) == 1


def test_other_parameters_under_the_same_key(shop):
    invoice = shop.open_invoice()
    shop.pay(invoice.id, "k")
    with pytest.raises(stripe.IdempotencyError):
        shop.pay(invoice.id, "k", off_session=False)
    with pytest.raises(stripe.IdempotencyError):
        shop.pay(shop.open_invoice().id, "k")


@pytest.mark.parametrize(("kind", "charges"), [("error_before", 0), ("error_after", 1)])
def test_a_500_is_kept_and_replayed(shop, kind, charges):
    invoice = shop.open_invoice()
    shop.fake.fault(kind, next=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as raised:
            shop.pay(invoice.id, "k")
        assert raised.value.http_status == 500
    assert len(shop.fake.ledger()) == charges
    assert shop.invoice(invoice.id).status == ("paid" if charges else "open")


@pytest.mark.parametrize("kind", ["conflict", "rate_limit", "unavailable"])
def test_what_came_before_the_store_is_not_kept(shop, kind):
    invoice = shop.open_invoice()
    shop.fake.fault(kind, next=1)
    with pytest.raises(stripe.StripeError):
        shop.pay(invoice.id, "k")
    assert shop.pay(invoice.id, "k").status == "paid"


def test_refused_parameters_are_not_kept(shop):
    invoice = shop.open_invoice()
    with pytest.raises(stripe.InvalidRequestError):
        shop.pay(invoice.id, "k", payment_method="pm_unknown")
    assert shop.pay(invoice.id, "k").status == "paid"


@pytest.mark.parametrize(("hours", "replayed"), [(23.9, True), (24, False)])
def test_from_24_hours_on_the_key_makes_a_new_request(shop, hours, replayed):
    """The cliff: what was a replay becomes a second attempt."""
    invoice = shop.open_invoice("insufficient_funds")
    with pytest.raises(stripe.CardError):
        shop.pay(invoice.id, "k")
    shop.fake.advance(hours=hours)
    with pytest.raises(stripe.CardError):
        shop.pay(invoice.id, "k")
    assert len(shop.fake.ledger()) == (1 if replayed else 2)


def test_two_at_once_under_one_key_conflict_and_under_two_keys_charge_once(shop):
    shop.fake.limits(latency_seconds=0.3)
    first, second = shop.open_invoice(), shop.open_invoice()

    def attempt(invoice, key):
        try:
            return shop.pay(invoice.id, key).status
        except stripe.StripeError as error:
            return error.http_status

    with ThreadPoolExecutor(4) as pool:
        same = list(pool.map(lambda _: attempt(first, "same"), range(2)))
        two = list(pool.map(lambda key: attempt(second, key), ["a", "b"]))
    assert sorted(map(str, same)) == ["409", "paid"]
    assert sorted(map(str, two)) == ["400", "paid"]
    assert shop.fake.summary()["doubles"] == {}
    assert shop.pay(first.id, "same").status == "paid"


def test_the_store_survives_a_kill_of_the_fake(tmp_path):
    fake = start(tmp_path)
    shop = open_shop(fake)
    invoice = shop.open_invoice()
    shop.pay(invoice.id, "k")
    fake.kill()
    fake.process.stdout.close()
    again = start(tmp_path)
    try:
        client = again.client().v1
        answer = client.invoices.pay(invoice.id, {}, {"idempotency_key": "k"})
        assert answer.last_response.headers["idempotent-replayed"] == "true"
        assert len(again.ledger()) == 1
        assert again.now() == START
    finally:
        again.stop()
        again.process.stdout.close()
