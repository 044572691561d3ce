"""Every request is held against the SDK's typed parameters, more strictly than Stripe's own types are written."""

from contextlib import suppress

import pytest
import stripe

from fake_stripe import objects
from fake_stripe.errors import ApiError
from fake_stripe.routes import ROUTES
from fake_stripe.typed_params import check_params
from fake_stripe.wire import parse_form


def refusal(shop, call):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        call(shop.stripe)
    return raised.value.code, raised.value.param


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"coupon": "x"}, "parameter_unknown", "coupon"),
        ({"items": [{"plan_id": "x"}]}, "parameter_unknown", "items[0][plan_id]"),
        ({"cancel_at_period_end": "soon"}, None, "cancel_at_period_end"),
        ({"items": [{"id": "si", "quantity": "many"}]}, "parameter_invalid_integer", "items[0][quantity]"),
        ({"cancellation_details": {"feedback": "nonsense"}}, None, "cancellation_details[feedback]"),
        ({"pause_collection": {"behavior": "stop"}}, None, "pause_collection[behavior]"),
        ({"pause_collection": {"resumes_at": 1}}, "parameter_missing", "pause_collection[behavior]"),
        ({"default_payment_method": ""}, "parameter_invalid_empty", "default_payment_method"),
        ({"items": "x"}, None, "items"),
    ],
)
def test_mistakes_are_named(shop, params, code, param):
    subscription = shop.subscribe(shop.customer()[0])
    assert refusal(shop, lambda api: api.subscriptions.update(subscription.id, params)) == (code, param)
    assert shop.fake.stats()["problems"][-1]["path"] == f"/v1/subscriptions/{subscription.id}"


def test_nothing_is_ignored_in_silence(shop):
    """What Stripe knows but the fake does not act upon is an error too, never a success without effect."""
    customer = shop.customer()[0]
    wish = {"customer": customer, "items": [{"price": shop.price}], "application_fee_percent": 1.5}
    assert refusal(shop, lambda api: api.subscriptions.create(wish)) == (
        "fake_unsupported",
        "application_fee_percent",
    )
    assert shop.stripe.subscriptions.list().data == []
    invoice = shop.open_invoice("insufficient_funds").id
    assert refusal(shop, lambda api: api.invoices.pay(invoice, {"forgive": True})) == (
        "fake_unsupported",
        "forgive",
    )
    assert shop.fake.ledger() == []


def test_lists_too(shop):
    assert refusal(shop, lambda api: api.invoices.list({"state": "open"})) == ("parameter_unknown", "state")
    assert refusal(shop, lambda api: api.invoices.list({"status": "unpaid"})) == (None, "status")
    assert refusal(shop, lambda api: api.invoices.list({"limit": 500})) == (None, "limit")


def test_what_is_right_passes_and_is_decoded():
    form = (
        "customer=cus_1&items[0][price]=p&items[0][quantity]=2&trial_end=now&metadata[a]=b&discounts[0][coupon]=c"
        "&expand[]=latest_invoice&expand[]=customer&cancel_at_period_end=true&pending_invoice_item_interval="
    )
    assert check_params("SubscriptionCreateParams", parse_form(form)) == {
        "customer": "cus_1",
        "items": [{"price": "p", "quantity": 2}],
        "trial_end": "now",
        "metadata": {"a": "b"},
        "discounts": [{"coupon": "c"}],
        "expand": ["latest_invoice", "customer"],
        "cancel_at_period_end": True,
        "pending_invoice_item_interval": "",
    }


def test_every_route_names_parameters_that_the_sdk_has():
    objects.load_all()
    routes = [route for group in ROUTES.values() for route in group]
    assert len(routes) > 70
    for route in routes:
        # Where something is required, an empty request is refused for that; any other error is ours.
        with suppress(ApiError):
            check_params(route.params, {})


def test_an_unknown_address_and_an_unknown_object(shop):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.fake.client().raw_request("get", "/v1/quotes")
    assert raised.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.invoice("in_nothing")
    assert (raised.value.http_status, raised.value.code) == (404, "resource_missing")
