"""POST /v1/subscriptions: items, trial, the first period and its invoice."""

from typing import Any

from fake_stripe.billing import periods
from fake_stripe.billing.invoicing import finalize, finish_discounts, make_invoice
from fake_stripe.billing.paying import method_for, pay_invoice
from fake_stripe.errors import Declined, invalid, missing_param
from fake_stripe.ids import new_id
from fake_stripe.objects.catalogue import create_price
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.objects.discounts import redeem
from fake_stripe.routes import route
from fake_stripe.session import Session
from fake_stripe.wire import Json

DAY = 86_400
TAKEN_OVER = (
    "collection_method",
    "days_until_due",
    "default_payment_method",
    "default_source",
    "description",
    "cancel_at",
    "trial_settings",
)


@route("POST", "/v1/subscriptions", "SubscriptionCreateParams")
def create_subscription(session: Session, params: Json) -> Json:
    if not params.get("customer"):
        raise missing_param("customer")
    customer = session.load("customer", params["customer"], param="customer")
    if not params.get("items"):
        raise missing_param("items")
    record = session.new("subscription", customer=customer["id"], status="incomplete")
    record |= {"start_date": params.get("backdate_start_date", session.now), "test_clock": session.clock}
    record["items"] = [new_item(session, item) for item in params["items"]]
    record["currency"] = periods.price_of(session, record["items"][0])["currency"]
    record |= {name: params[name] for name in TAKEN_OVER if params.get(name) not in (None, "")}
    mode = params.get("billing_mode", {}).get("type", "flexible")
    record["billing_mode"] = {"flexible": None, "type": mode}
    merge_metadata(record, params)
    _check_method(session, record)
    session.save(record)
    record["discounts"] = [
        redeem(session, one, customer=customer["id"], subscription=record["id"])["id"]
        for one in params.get("discounts") or []
    ]
    _first_period(session, record, params)
    session.save({**customer, "currency": record["currency"]})
    _begin(session, record, params)
    return session.render(session.load("subscription", record["id"]))


def new_item(session: Session, given: Json) -> Json:
    price = given.get("price")
    if data := given.get("price_data"):
        price = create_price(session, data)["id"]
    if not price:
        raise missing_param("items[0][price]")
    if session.load("price", price, param="items[0][price]").get("recurring") is None:
        message = f"The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: {price}"
        raise invalid(message, param="items[0][price]", kept=False)
    return {
        "id": new_id("subscription_item"),
        "created": session.now,
        "price": price,
        "quantity": given.get("quantity", 1),
        "metadata": given.get("metadata") or {},
    }


def _check_method(session: Session, record: Json) -> None:
    key = record.get("default_payment_method")
    if not key:
        return
    method = session.load("payment_method", key, param="default_payment_method")
    if method.get("customer") != record["customer"]:
        message = "The customer does not have a payment method with the ID " + key
        raise invalid(message, param="default_payment_method", code="resource_missing")


def _first_period(session: Session, record: Json, params: Json) -> None:
    """Trial, or the first paid period from its start; `backdate_start_date` runs through the past without invoices."""
    trial_end = params.get("trial_end")
    if days := params.get("trial_period_days"):
        trial_end = session.now + days * DAY
    record["billing_cycle_anchor"] = params.get("billing_cycle_anchor", record["start_date"])
    if trial_end and trial_end != "now":
        record |= {"trial_start": session.now, "trial_end": trial_end, "billing_cycle_anchor": trial_end}
        periods.start_period(session, record, session.now, trial_end)
        return
    periods.start_period(session, record, record["start_date"])
    while periods.period_end(record) <= session.now:
        periods.start_period(session, record, periods.period_end(record))
    if params.get("cancel_at_period_end"):
        record |= {"cancel_at_period_end": True, "cancel_at": periods.period_end(record)}
        record["canceled_at"] = session.now


def _begin(session: Session, record: Json, params: Json) -> None:
    """The first invoice: paid at once, unless it waits (`default_incomplete`), is sent, or is a trial's zero."""
    trial = bool(record.get("trial_end"))
    lines = periods.lines_of(session, record)
    if trial:
        lines = [{**line, "amount": 0, "description": "Free trial"} for line in lines]
    customer = session.load("customer", record["customer"])
    invoice = make_invoice(
        session,
        customer,
        lines,
        reason="subscription_create",
        subscription=record,
        discounts=record["discounts"],
        collection_method=record.get("collection_method", "charge_automatically"),
        days_until_due=record.get("days_until_due"),
        currency=record["currency"],
    )
    record["latest_invoice"] = invoice["id"]
    if not trial:
        finish_discounts(session, record)
    sent = record.get("collection_method") == "send_invoice"
    record["status"] = "trialing" if trial else "active" if sent else "incomplete"
    periods.set_due(record, session)
    session.save(record)
    rendered = session.render(record)
    session.emit("customer.subscription.created", rendered)
    invoice = finalize(session, invoice)
    if invoice["status"] == "open" and not sent:
        _charge_first(session, invoice, params.get("payment_behavior", "allow_incomplete"))


def _charge_first(session: Session, invoice: Json, behavior: str) -> None:
    if behavior == "default_incomplete":
        return
    method = method_for(session, invoice)
    if method is None:
        if behavior == "error_if_incomplete":
            raise invalid(
                "This customer has no attached payment source or default payment method.",
                code="resource_missing",
                param="default_payment_method",
            )
        return
    try:
        pay_invoice(session, invoice, method)
    except Declined as decline:
        if behavior == "error_if_incomplete":
            raise undone(decline) from decline


def undone(decline: Declined) -> Exception:
    """A refusal after which nothing stays, unlike other refusals."""
    from fake_stripe.errors import ApiError

    error: dict[str, Any] = {
        key: value for key, value in decline.error.items() if key not in ("type", "message")
    }
    error.pop("doc_url", None)
    return ApiError(402, decline.error["type"], decline.error["message"], **error)
