"""Checkout in setup mode, the hosted invoice, and the bank's page of 3-D Secure."""

from html import escape

from fake_stripe.billing.paying import pay_invoice
from fake_stripe.errors import ApiError, Declined
from fake_stripe.objects.payment_methods import attach
from fake_stripe.pages.acting import authenticate, complete_checkout
from fake_stripe.pages.cards_form import fields, method_of
from fake_stripe.pages.layout import money, page, what_is_owed, wrong
from fake_stripe.session import Session
from fake_stripe.wire import Json

Reply = tuple[str, bytes]  # an address to go to, or a page


def checkout(session: Session, key: str, form: Json | None) -> Reply:
    record = session.load("checkout.session", key)
    if record["status"] == "complete":
        leave = f'<p class="below"><a href="{escape(back(record))}">Go back to the shop</a></p>'
        return "", page(
            "Saved", f"<h1>Saved</h1><p>This page has done its work. You can close it.</p>{leave}"
        )
    if record["status"] == "expired":
        return "", page("Expired", "<h1>This link has expired</h1><p>Ask for a new one.</p>")
    problem = ""
    if form is not None:
        try:
            setup = complete_checkout(session, record, method_of(session, form), authenticated=False)
        except ApiError as error:
            problem = str(error)
        else:
            if setup.get("status") == "requires_action":
                return f"/authenticate/{setup['id']}", b""
            return back(record), b""
    cancel = record.get("cancel_url")
    leave = f'<p class="below"><a href="{escape(cancel)}">Go back without saving</a></p>' if cancel else ""
    name = session.world.settings["business_name"]
    body = (
        f"<h1>Save a payment method</h1><p class='soft'>for {escape(name)}</p>{wrong(problem)}"
        f'<form method="post">{fields(record["payment_method_types"], form)}<button>Save</button></form>{leave}'
    )
    return "", page("Save a payment method", body)


def back(record: Json) -> str:
    return str(record["success_url"]).replace("{CHECKOUT_SESSION_ID}", record["id"])


def invoice(session: Session, key: str, form: Json | None) -> Reply:
    """Pay one invoice by a new card, with the person present."""
    record = session.load("invoice", key)
    problem = ""
    if form is not None and record["status"] in ("open", "uncollectible"):
        try:
            method = method_of(session, form)
            session.save(method)
            attached = attach(session, method["id"], record["customer"])
            record = pay_invoice(session, record, attached, off_session=False)
        except ApiError as error:
            if error.error.get("code") == "invoice_payment_intent_requires_action":
                return f"/authenticate/{record['payment_intent']}", b""
            problem = str(error)
    shown = session.render(session.load("invoice", key))
    if shown["status"] == "paid":
        text = f"<h1>Paid</h1><p>{money(shown['amount_paid'], shown['currency'])}. Thank you.</p>"
        return "", page("Paid", text)
    if shown["status"] not in ("open", "uncollectible"):
        return "", page(
            "Invoice", f"<h1>Nothing to pay</h1><p>This invoice is {escape(shown['status'])}.</p>"
        )
    body = (
        f"<h1>Invoice {escape(shown['number'] or '')}</h1>{what_is_owed(shown)}{wrong(problem)}"
        f'<form method="post">{fields(["card"], form)}<button>Pay</button></form>'
    )
    return "", page("Pay an invoice", body)


def bank(session: Session, key: str, form: Json | None) -> Reply:
    """The bank asks: is it you?"""
    if form is None:
        body = (
            "<h1>Is it you?</h1><p>Your bank wants you to confirm.</p><form method='post'>"
            "<button name='answer' value='yes'>Confirm</button>"
            "<button class='quiet' name='answer' value='no'>Refuse</button></form>"
        )
        return "", page("Confirm", body)
    try:
        result = authenticate(session, key, succeed=form.get("answer") == "yes")
    except Declined as decline:
        return "", page("Declined", f"<h1>Declined</h1><p>{escape(str(decline))}</p>")
    if result["object"] == "checkout.session":
        return back(result), b""
    intent = session.store.load("payment_intent", key)
    if intent and intent.get("invoice"):
        return f"/invoice/{intent['invoice']}", b""
    return "", page(
        "Done",
        f"<h1>{'Confirmed' if form.get('answer') == 'yes' else 'Refused'}</h1><p>You can close this page.</p>",
    )


def receipt(session: Session, key: str, form: Json | None) -> Reply:
    charge = session.load("charge", key)
    text = money(charge["amount"], charge["currency"])
    return "", page("Receipt", f"<h1>Receipt</h1><p>{text}, {escape(charge['status'])}.</p>")
