"""The form in which a person picks or types a test card, or another method the session offers."""

from html import escape

from fake_stripe.cards import TEST_CARDS
from fake_stripe.errors import invalid
from fake_stripe.objects.method_making import new_card, new_other
from fake_stripe.objects.payment_methods import OTHERS
from fake_stripe.outcomes import simple_plan
from fake_stripe.session import Session
from fake_stripe.wire import Json

NAMES = {"paypal": "PayPal", "link": "Link", "sepa_debit": "SEPA debit", "us_bank_account": "US bank account"}
# Numbers that the real page refuses while they are typed.
REFUSED = {"4242424242424241": "Your card number is invalid."}


def fields(kinds: list[str], form: Json | None = None) -> str:
    """The inputs, with what was typed last time."""
    typed = form or {}
    options = [(digits, f"{text} · {_spaced(digits)}") for digits, (_, _, _, text) in TEST_CARDS.items()]
    for kind in kinds:
        if kind in OTHERS:
            options.append((kind, f"{NAMES[kind]}, works"))
            options.append((f"{kind}:insufficient_funds", f"{NAMES[kind]}, fails when charged"))
    choices = "".join(
        f'<option value="{value}"{" selected" if value == typed.get("method") else ""}>{escape(text)}</option>'
        for value, text in options
    )
    return (
        '<label for="method">Test payment method</label>'
        f'<select id="method" name="method">{choices}</select>'
        '<label for="number">Or a card number of your own</label>'
        '<input id="number" name="number" inputmode="numeric" autocomplete="off" placeholder="4242 4242 4242 4242"'
        f' value="{escape(str(typed.get("number", "")))}">'
        '<div class="pair"><div><label for="month">Month</label><input id="month" name="month" inputmode="numeric"'
        f' value="{escape(str(typed.get("month", "12")))}"></div>'
        '<div><label for="year">Year</label><input id="year" name="year" inputmode="numeric"'
        f' value="{escape(str(typed.get("year", "2034")))}"></div></div>'
    )


def _spaced(digits: str) -> str:
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def method_of(session: Session, form: Json) -> Json:
    """The unsaved payment method that the form names; raises ApiError with a sentence for the person."""
    typed = str(form.get("number", "")).replace(" ", "")
    kind, _, outcome = str(form.get("method", "")).partition(":")
    if not typed and kind in OTHERS:
        method = new_other(session, kind, {"email": "person@example.com", "iban": "DE89370400440532013000"})
        method["_plan"] = simple_plan(outcome or "ok")
        return method
    number = typed or kind
    if not number.isdigit() or not 12 <= len(number) <= 19 or number in REFUSED:
        raise invalid("Your card number is invalid.")
    month, year = str(form.get("month", "12")), str(form.get("year", "2034"))
    if not (month.isdigit() and 1 <= int(month) <= 12 and year.isdigit() and len(year) == 4):
        raise invalid("Your card's expiration date is invalid.")
    method = new_card(session, number)
    method["card"] |= {"exp_month": int(month), "exp_year": int(year)}
    return method
