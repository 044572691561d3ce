"""New payment methods: cards by number or token, debits and wallets; and the networks' card updater."""

from fake_stripe.cards import TEST_CARDS, card_details, card_of_token, fingerprint
from fake_stripe.errors import missing
from fake_stripe.outcomes import simple_plan
from fake_stripe.session import Session
from fake_stripe.wire import Json


def new_card(session: Session, number: str, plan: Json | None = None, *, brand: str | None = None) -> Json:
    """An unsaved card record; unknown numbers work."""
    known = TEST_CARDS.get(number)
    record = session.new("payment_method", type="card", card=card_details(number, brand=brand))
    record["_plan"] = plan or simple_plan(known[2] if known else "ok")
    if known and known[2] == "3ds_setup":
        record["_authenticate_setup"] = True
    return record


def new_other(session: Session, kind: str, details: Json) -> Json:
    """A debit or wallet, known by name."""
    account = str(details.get("iban") or details.get("account_number") or "000123456789")
    shown: dict[str, Json] = {
        "sepa_debit": {
            "bank_code": account[4:12],
            "branch_code": "",
            "country": account[:2],
            "fingerprint": fingerprint(account),
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": account[-4:],
        },
        "us_bank_account": {
            "account_holder_type": "company",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "fingerprint": fingerprint(account),
            "last4": account[-4:],
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": "110000000",
            "status_details": {},
        },
        "paypal": {"country": "US", "payer_email": details.get("email"), "payer_id": "FAKEPAYERID"},
        "link": {"email": details.get("email")},
    }
    record = session.new("payment_method", type=kind)
    record[kind] = shown[kind]
    record["_plan"] = simple_plan("ok")
    return record


def from_token(session: Session, token: str) -> Json:
    found = card_of_token(token)
    if found is None:
        raise missing("PaymentMethod", token, param="payment_method", status=400)
    number, outcome = found
    return new_card(session, number, simple_plan(outcome))


def replace_card(session: Session, record: Json, *, number: str | None, plan: Json | None) -> Json:
    """The networks' account updater: the same payment method with a new number or expiry."""
    before = session.render(record)
    if number:
        record["card"] = card_details(number, brand=record["card"]["brand"])
    record["card"]["exp_year"] = max(record["card"]["exp_year"], session.now // 31_557_600 + 1970) + 4
    record |= {"_plan": plan or simple_plan("ok"), "_uses": 0}
    for name in ("due", "_replacement"):
        record.pop(name, None)
    return session.changed(record, before, "payment_method.automatically_updated")
