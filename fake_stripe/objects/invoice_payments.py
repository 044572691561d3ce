"""Invoice payments: which payment intent pays which invoice."""

from fake_stripe.lists import list_of
from fake_stripe.objects.payment_intents import cancel
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json


@shape("invoice_payment")
def payment_shape(session: Session, record: Json) -> Json:
    shown = public(record, {"livemode": False, "amount_paid": None})
    shown.pop("payment_intent")
    return {**shown, "payment": {"type": "payment_intent", "payment_intent": record["payment_intent"]}}


def open_payment(session: Session, invoice: Json, intent: Json) -> Json:
    record = session.new(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment_intent=intent["id"],
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    session.save(record)
    return record


def close_payment(session: Session, invoice: Json, *, paid: bool) -> None:
    """The invoice was paid through its intent, or will never be: then the intent is canceled."""
    for record in session.store.find("invoice_payment", invoice=invoice["id"], status="open"):
        if paid:
            record |= {"status": "paid", "amount_paid": record["amount_requested"]}
            record["status_transitions"] = {"canceled_at": None, "paid_at": session.now}
        else:
            record |= {"status": "canceled"}
            record["status_transitions"] = {"canceled_at": session.now, "paid_at": None}
            intent = session.load("payment_intent", record["payment_intent"])
            if intent["status"] not in ("succeeded", "canceled"):
                cancel(session, intent, "void_invoice" if invoice["status"] == "void" else None)
        session.save(record)
        if paid:
            session.emit("invoice_payment.paid", session.render(record))


@route("GET", "/v1/invoice_payments/{id}", "InvoicePaymentRetrieveParams")
def get_payment(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("invoice_payment", key))


@route("GET", "/v1/invoice_payments", "InvoicePaymentListParams")
def list_payments(session: Session, params: Json) -> Json:
    intent = params.get("payment", {}).get("payment_intent")
    return list_of(session, "invoice_payment", params, "/v1/invoice_payments", payment_intent=intent)
