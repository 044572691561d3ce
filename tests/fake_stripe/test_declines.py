"""Every refusal that dunning must tell apart, as the real client raises it."""

import pytest
import stripe

from fake_stripe.declines import DECLINE_CODES
from tests.fake_stripe.shop import MONTHLY

NEVER = {"lost_card", "stolen_card", "pickup_card", "revocation_of_authorization", "stop_payment_order"}


def test_all_47_codes_reach_the_client_with_charge_intent_and_ledger(shop):
    assert len(DECLINE_CODES) == 47
    plans = [[code] for code in sorted(DECLINE_CODES)]
    invoices = shop.fake.seed(len(plans), plans=plans, fail=False)["invoices"]
    for code, invoice in zip(sorted(DECLINE_CODES), invoices, strict=True):
        error = shop.refused(invoice)
        assert error.http_status == 402
        assert error.error.decline_code == code
        intent = error.error.payment_intent
        assert intent.status == "requires_payment_method"
        assert intent.last_payment_error.decline_code == code
        charge = shop.stripe.charges.retrieve(intent.latest_charge)
        assert (charge.status, charge.outcome.reason) == ("failed", code)
        assert charge.failure_code == error.code
        assert charge.outcome.advice_code == getattr(error.error, "advice_code", None)
        if code in NEVER:
            assert charge.outcome.advice_code == "do_not_try_again"
    assert [row["code"] for row in shop.fake.ledger()] == sorted(DECLINE_CODES)


def test_a_block_by_radar_never_reaches_the_network(shop):
    error = shop.refused(shop.open_invoice("highest_risk_level").id)
    charge = shop.stripe.charges.retrieve(error.error.payment_intent.latest_charge)
    assert (charge.outcome.type, charge.outcome.network_status) == ("blocked", "not_sent_to_network")
    assert charge.outcome.reason == "highest_risk_level"


def test_a_step_may_override_the_advice(shop):
    step = {"code": "do_not_honor", "advice_code": "do_not_try_again", "network_advice_code": "03"}
    error = shop.refused(shop.open_invoice(step).id)
    assert error.error.advice_code == "do_not_try_again"
    assert error.error.network_advice_code == "03"


def test_a_plan_by_attempt_ends_in_success(shop):
    invoice = shop.open_invoice("insufficient_funds", "insufficient_funds", "ok")
    assert [shop.refused(invoice.id).error.decline_code for _ in range(2)] == ["insufficient_funds"] * 2
    assert shop.invoice(invoice.id).attempt_count == 2
    assert shop.pay(invoice.id).status == "paid"
    assert [row["status"] for row in shop.fake.ledger()] == ["failed", "failed", "succeeded"]


def test_a_plan_by_day_of_the_month(shop):
    """Broke until pay day."""
    invoice = shop.open_invoice()
    plan = {"days": [{"from": 3, "outcome": "ok"}], "else": "insufficient_funds"}
    shop.fake.outcomes(plan, customer=invoice.customer)
    shop.refused(invoice.id)
    shop.fake.advance(days=2)
    assert shop.pay(invoice.id).status == "paid"


def test_a_card_past_its_date_is_declined(shop):
    customer, method = shop.customer()
    shop.stripe.payment_methods.update(method, {"card": {"exp_month": 12, "exp_year": 2025}})
    invoice = shop.subscribe(customer).latest_invoice
    intent = shop.stripe.payment_intents.list().data[0]
    assert intent.last_payment_error.decline_code == "expired_card"
    assert shop.invoice(invoice).status == "open"


def test_a_paid_invoice_cannot_be_paid_again(shop):
    invoice = shop.open_invoice()
    paid = shop.pay(invoice.id)
    assert (paid.amount_paid, paid.amount_remaining) == (MONTHLY, 0)
    with pytest.raises(stripe.InvalidRequestError, match="Invoice is already paid"):
        shop.pay(invoice.id)
    assert len(shop.fake.ledger()) == 1


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "lost_card"),
        ("pm_fake_do_not_honor", "do_not_honor"),
    ],
)
def test_ready_made_methods(shop, token, code):
    assert shop.refused(shop.open_invoice(token=token).id).error.decline_code == code


def test_which_card_is_charged(shop):
    """The subscription's own before the customer's; a method named in the call before both."""
    customer, customers_card = shop.customer()
    own = shop.stripe.payment_methods.attach("pm_card_mastercard", {"customer": customer}).id
    shop.subscribe(customer, default_payment_method=own)
    assert shop.fake.ledger()[-1]["payment_method"] == own
    subscription = shop.subscribe(customer)
    assert shop.fake.ledger()[-1]["payment_method"] == customers_card
    shop.fake.outcomes(["insufficient_funds"], payment_method=customers_card)
    shop.fake.advance(days=32)
    latest = shop.subscription(subscription.id).latest_invoice
    assert shop.invoice(latest).status == "open"
    assert shop.pay(latest, payment_method=own).status == "paid"


def test_without_any_method(shop):
    customer, method = shop.customer()
    shop.stripe.payment_methods.detach(method)
    invoice = shop.subscribe(customer).latest_invoice
    with pytest.raises(stripe.InvalidRequestError, match="no `default_payment_method`"):
        shop.pay(invoice)
