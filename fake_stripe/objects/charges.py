"""Charges: one per attempt that was really made; the ledger row is written with it."""

from fake_stripe.declines import Refusal, approval
from fake_stripe.ids import random_text
from fake_stripe.lists import list_of
from fake_stripe.objects.payment_methods import NO_BILLING_DETAILS
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "billing_details": NO_BILLING_DETAILS,
    "calculated_statement_descriptor": "EXAMPLE SOFTWARE",
    "customer": None,
    "description": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "livemode": False,
    "metadata": {},
    "on_behalf_of": None,
    "payment_intent": None,
    "payment_method": None,
    "receipt_email": None,
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "shipping": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}

# Of a debit's payment method, not of what a charge tells about it.
OF_METHODS_ONLY = {"generated_from", "financial_connections_account", "networks", "status_details"}


@shape("charge")
def charge_shape(session: Session, record: Json) -> Json:
    shown = public(record, DEFAULTS)
    shown.pop("invoice", None)
    taken = record["amount"] if record["status"] == "succeeded" else 0
    return {**shown, "amount_captured": taken, "captured": taken > 0, "paid": record["status"] != "failed"}


def method_details(method: Json) -> Json:
    """`payment_method_details`: for cards with what dunning needs (brand, country, fingerprint, expiry)."""
    kind = method["type"]
    if kind != "card":
        shown = {name: value for name, value in method.get(kind, {}).items() if name not in OF_METHODS_ONLY}
        return {"type": kind, kind: shown}
    card = method["card"]
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    details: Json = {name: card[name] for name in kept}
    details |= {
        "amount_authorized": None,
        "authorization_code": None,
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }
    for name in ("extended_authorization", "incremental_authorization", "multicapture"):
        details[name] = {"status": "disabled" if name == "extended_authorization" else "unavailable"}
    details["overcapture"] = {"maximum_amount_capturable": 0, "status": "unavailable"}
    return {"type": "card", "card": details}


def make_charge(session: Session, intent: Json, method: Json, status: str, refusal: Refusal | None) -> Json:
    """The charge of one attempt (`pending`, `succeeded` or `failed`), with its ledger row; tells of it."""
    record = session.new(
        "charge",
        amount=intent["amount"],
        currency=intent["currency"],
        customer=intent.get("customer"),
        description=intent.get("description"),
        invoice=intent.get("invoice"),
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=method_details(method),
        metadata=dict(intent.get("metadata", {})),
        status=status,
    )
    _judge(session, record, refusal)
    session.save(record)
    session.store.insert(
        "ledger",
        charge=record["id"],
        invoice=record["invoice"],
        payment_intent=intent["id"],
        customer=record["customer"],
        payment_method=method["id"],
        amount=record["amount"],
        currency=record["currency"],
        status=status,
        code=_code(refusal),
        key=session.key,
        at=session.now,
    )
    session.emit(f"charge.{status}", session.render(record))
    return record


def settle_charge(session: Session, record: Json, refusal: Refusal | None) -> Json:
    """A pending debit comes to its end."""
    before = session.render(record)
    record["status"] = "failed" if refusal else "succeeded"
    _judge(session, record, refusal)
    session.store.db.execute(
        "UPDATE ledger SET status = ?, code = ?, at = ? WHERE charge = ?",
        (record["status"], _code(refusal), session.now, record["id"]),
    )
    session.changed(record, before, f"charge.{record['status']}")
    return record


def _code(refusal: Refusal | None) -> str | None:
    return (refusal.decline_code or refusal.code) if refusal else None


def _judge(session: Session, record: Json, refusal: Refusal | None) -> None:
    if refusal:
        record |= {
            "failure_code": refusal.code,
            "failure_message": refusal.message,
            "outcome": refusal.outcome,
        }
        return
    record["outcome"] = approval()
    if record["status"] == "succeeded":
        record["balance_transaction"] = f"txn_{random_text(24)}"
        record["receipt_url"] = f"{session.world.public_url}/receipts/{record['id']}"


@route("GET", "/v1/charges/{charge}", "ChargeRetrieveParams")
def get_charge(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("charge", key))


@route("GET", "/v1/charges", "ChargeListParams")
def list_charges(session: Session, params: Json) -> Json:
    return list_of(session, "charge", params, "/v1/charges")
