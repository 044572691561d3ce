"""Refunds."""

from fake_stripe.errors import invalid, missing_param
from fake_stripe.lists import list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "balance_transaction": None,
    "customer": None,
    "customer_account": None,
    "destination_details": {"card": {"type": "refund"}, "type": "card"},
    "metadata": {},
    "payment_intent": None,
    "payment_method": None,
    "reason": None,
    "receipt_number": None,
    "source_transfer_reversal": None,
    "status": "succeeded",
    "transfer_reversal": None,
}


@shape("refund")
def refund_shape(session: Session, record: Json) -> Json:
    return public(record, DEFAULTS)


@route("POST", "/v1/refunds", "RefundCreateParams")
def create_refund(session: Session, params: Json) -> Json:
    charge = _charge(session, params)
    rest = charge["amount"] - charge.get("amount_refunded", 0)
    amount = params.get("amount", rest)
    if charge["status"] != "succeeded" or rest == 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.",
            param="charge",
            code="charge_already_refunded",
        )
    if not 0 < amount <= rest:
        raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount")
    record = session.new("refund", amount=amount, currency=charge["currency"], charge=charge["id"])
    record |= {"payment_intent": charge["payment_intent"], "reason": params.get("reason")}
    merge_metadata(record, params)
    before = session.render(charge)
    charge["amount_refunded"] = charge.get("amount_refunded", 0) + amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    session.store.db.execute(
        "UPDATE ledger SET refunded = ? WHERE charge = ?", (charge["amount_refunded"], charge["id"])
    )
    rendered = session.created(record, "refund.created")
    session.changed(charge, before, "charge.refunded")
    return rendered


def _charge(session: Session, params: Json) -> Json:
    if key := params.get("charge"):
        return session.load("charge", key, param="charge")
    if not params.get("payment_intent"):
        raise missing_param("charge")
    intent = session.load("payment_intent", params["payment_intent"], param="payment_intent")
    if not intent.get("latest_charge"):
        raise invalid(
            "This PaymentIntent does not have a successful charge to refund.", param="payment_intent"
        )
    return session.load("charge", intent["latest_charge"])


@route("GET", "/v1/refunds/{refund}", "RefundRetrieveParams")
def get_refund(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("refund", key))


@route("GET", "/v1/refunds", "RefundListParams")
def list_refunds(session: Session, params: Json) -> Json:
    return list_of(session, "refund", params, "/v1/refunds")
