"""What a person on a hosted page sets in motion; the control API does the same without a page."""

from fake_stripe.billing import paying, standing
from fake_stripe.declines import refusal
from fake_stripe.errors import Declined, invalid
from fake_stripe.objects import payment_intents, setup
from fake_stripe.objects.checkout import complete, finish
from fake_stripe.session import Session
from fake_stripe.wire import Json


def complete_checkout(session: Session, record: Json, method: Json, *, authenticated: bool) -> Json:
    """Save the method and complete the session; returns the setup intent."""
    if record["status"] != "open":
        raise invalid(f"This session is {record['status']}.")
    session.save(method)
    return complete(session, record, method, authenticated=authenticated)


def authenticate(session: Session, key: str, *, succeed: bool) -> Json:
    """The answer on the bank's page; raises Declined when the payment is refused afterwards.

    Gives the intent, or the checkout session that has just been completed by it.
    """
    if key.startswith("seti_"):
        return _authenticate_setup(session, key, succeed=succeed)
    record = session.load("payment_intent", key)
    if record["status"] != "requires_action":
        raise invalid(f"This payment does not wait for authentication; it is {record['status']}.")
    if not succeed:
        method = session.load("payment_method", record["payment_method"])
        payment_intents.fail(session, record, None, method, refusal("authentication_required"))
        return session.render(record)
    try:
        paying.charge_intent(session, record, off_session=False, authenticated=True)
    except Declined as decline:
        if invoice := record.get("invoice"):
            standing.payment_failed(session, session.load("invoice", invoice), decline.error)
        raise
    return session.render(session.load("payment_intent", key))


def _authenticate_setup(session: Session, key: str, *, succeed: bool) -> Json:
    record = session.load("setup_intent", key)
    if record["status"] != "requires_action":
        raise invalid(f"This setup does not wait for authentication; it is {record['status']}.")
    if not succeed:
        before = session.render(record)
        record |= {"status": "requires_payment_method", "next_action": None}
        return session.changed(record, before, "setup_intent.setup_failed")
    rendered = setup.confirm(session, record, authenticated=True)
    for checkout in session.store.find("checkout.session", status="open"):
        if checkout["setup_intent"] == key:
            return finish(session, checkout)
    return rendered
