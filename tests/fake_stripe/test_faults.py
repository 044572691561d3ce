"""Lost answers, limits, broken bodies: the client sees the trouble, the ledger knows the truth."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

PAY = "/v1/invoices/*/pay"


def test_a_lost_answer_has_charged_and_its_replay_does_not_charge_again(shop):
    invoice = shop.open_invoice()
    shop.fake.fault("drop_after", path=PAY, next=1)
    with pytest.raises(stripe.APIConnectionError):
        shop.pay(invoice.id, "k")
    assert [row["status"] for row in shop.fake.ledger(invoice=invoice.id)] == ["succeeded"]
    assert shop.pay(invoice.id, "k").status == "paid"
    assert len(shop.fake.ledger()) == 1
    first, second = shop.fake.requests(path=PAY)
    assert (first["key"], first["body_hash"]) == (second["key"], second["body_hash"])
    assert (first["fault"], second["replayed"]) == ("drop_after", 1)


def test_a_request_dropped_before_it_was_executed_left_nothing(shop):
    invoice = shop.open_invoice()
    shop.fake.fault("drop_before", path=PAY, next=1)
    with pytest.raises(stripe.APIConnectionError):
        shop.pay(invoice.id, "k")
    assert shop.fake.ledger() == []
    assert shop.pay(invoice.id, "k").status == "paid"


def test_a_share_of_lost_answers_is_the_same_for_the_same_seed(shop):
    invoices = shop.fake.seed(60, plans=[["ok"]], fail=False)["invoices"]
    lost = []
    for seed in (7, 7):
        shop.fake.faults({"kind": "drop_after", "path": PAY, "share": 0.2}, seed=seed)
        lost.append([failed(shop, invoice, f"{seed}-{len(lost)}") for invoice in invoices])
        shop.fake.faults()
        if len(lost) == 1:
            assert 4 <= sum(lost[0]) <= 24
    assert lost[0] == lost[1]
    assert shop.fake.summary()["doubles"] == {}


def failed(shop, invoice, key):
    try:
        shop.pay(invoice, key + invoice)
    except stripe.APIConnectionError:
        return True
    except stripe.InvalidRequestError:
        return False
    return False


def test_a_broken_body_after_the_charge(shop):
    invoice = shop.open_invoice()
    shop.fake.fault("malformed", path=PAY, next=1)
    with pytest.raises(stripe.APIError):
        shop.pay(invoice.id, "k")
    assert len(shop.fake.ledger()) == 1
    assert shop.pay(invoice.id, "k").status == "paid"


@pytest.mark.parametrize(("kind", "status"), [("conflict", 409), ("rate_limit", 429), ("unavailable", 503)])
def test_refusals_with_their_status_and_the_retry_header(shop, kind, status):
    invoice = shop.open_invoice()
    shop.fake.fault(kind, path=PAY, next=1, should_retry=False)
    with pytest.raises(stripe.StripeError) as raised:
        shop.pay(invoice.id)
    assert raised.value.http_status == status
    assert raised.value.headers["stripe-should-retry"] == "false"
    assert shop.fake.ledger() == []


def test_the_sdks_own_retries_reuse_one_key(shop):
    invoice = shop.open_invoice()
    shop.fake.fault("drop_after", path=PAY, next=1)
    client = shop.fake.client(max_network_retries=2).v1
    assert client.invoices.pay(invoice.id).status == "paid"
    assert len({row["key"] for row in shop.fake.requests(path=PAY)}) == 1
    assert len(shop.fake.ledger()) == 1


def test_the_rate_limit_and_the_peak(shop):
    invoices = shop.fake.seed(40, plans=[["ok"]], fail=False)["invoices"]
    shop.fake.control("POST", "stats/clear")
    shop.fake.limits(rate_limit=10)

    def status(invoice):
        try:
            shop.pay(invoice)
        except stripe.RateLimitError:
            return 429
        return 200

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(status, invoices))
    seconds = time.monotonic() - began
    stats = shop.fake.stats()
    assert 429 in answers
    assert answers.count(200) <= 10 * (seconds + 1)
    assert stats["peak_per_second"] > 10
    assert len(shop.fake.ledger()) == answers.count(200)


def test_a_slow_answer_is_a_timeout_for_the_client_and_a_charge_for_the_ledger(shop):
    invoice = shop.open_invoice()
    shop.fake.fault("delay", path=PAY, next=1, seconds=1.0)
    http = stripe.RequestsClient(timeout=0.3)
    client = shop.fake.client(http_client=http).v1
    with pytest.raises(stripe.APIConnectionError):
        client.invoices.pay(invoice.id, {}, {"idempotency_key": "k"})
    with pytest.raises(stripe.StripeError) as raised:
        shop.pay(invoice.id, "k")
    assert raised.value.http_status == 409
    time.sleep(1)
    assert shop.pay(invoice.id, "k").status == "paid"
    assert len(shop.fake.ledger()) == 1
