"""Every decline code that Stripe documents, with what an issuer's answer carries beside it.

The network codes are the usual ISO 8583 response codes; which code goes with which advice is our choice, for
Stripe publishes no table. A step of a payment method's plan may override each of them.
"""

from dataclasses import dataclass

from fake_stripe.wire import Json

_DECLINED = "Your card was declined."
_AGAIN, _NEVER, _CHECK = "try_again_later", "do_not_try_again", "confirm_card_data"
# decline code: (message, advice, network's decline code, network's advice, top-level code)
_ROWS: dict[str, tuple[str, str | None, str | None, str | None, str]] = {
    "approve_with_id": (_DECLINED, _AGAIN, "08", None, "card_declined"),
    "authentication_required": (
        "Your card was declined. This transaction requires authentication.",
        None,
        "1A",
        None,
        "authentication_required",
    ),
    "call_issuer": (_DECLINED, None, "01", None, "card_declined"),
    "card_not_supported": (
        "Your card does not support this type of purchase.",
        _NEVER,
        "57",
        None,
        "card_declined",
    ),
    "card_velocity_exceeded": (
        "Your card was declined for exceeding its amount limit.",
        _AGAIN,
        "61",
        "02",
        "card_declined",
    ),
    "currency_not_supported": (
        "Your card does not support this currency.",
        None,
        "57",
        None,
        "card_declined",
    ),
    "do_not_honor": (_DECLINED, _AGAIN, "05", "02", "card_declined"),
    "do_not_try_again": (_DECLINED, _NEVER, "05", "03", "card_declined"),
    "duplicate_transaction": (
        "A transaction with identical amount was submitted very recently.",
        None,
        "94",
        None,
        "card_declined",
    ),
    "expired_card": ("Your card has expired.", _CHECK, "54", "01", "expired_card"),
    "fraudulent": (_DECLINED, _NEVER, "59", "03", "card_declined"),
    "generic_decline": (_DECLINED, None, "05", None, "card_declined"),
    "incorrect_cvc": ("Your card's security code is incorrect.", _CHECK, "N7", None, "incorrect_cvc"),
    "incorrect_number": ("Your card number is incorrect.", _CHECK, "14", "03", "incorrect_number"),
    "incorrect_pin": (_DECLINED, _CHECK, "55", None, "card_declined"),
    "incorrect_zip": ("Your card's postal code is incorrect.", _CHECK, "82", None, "incorrect_zip"),
    "insufficient_funds": ("Your card has insufficient funds.", _AGAIN, "51", "02", "card_declined"),
    "invalid_account": (_DECLINED, _NEVER, "46", "03", "card_declined"),
    "invalid_amount": (_DECLINED, None, "13", None, "card_declined"),
    "invalid_cvc": ("Your card's security code is invalid.", _CHECK, "N7", None, "invalid_cvc"),
    "invalid_expiry_month": (
        "Your card's expiration month is invalid.",
        _CHECK,
        "54",
        None,
        "invalid_expiry_month",
    ),
    "invalid_expiry_year": (
        "Your card's expiration year is invalid.",
        _CHECK,
        "54",
        None,
        "invalid_expiry_year",
    ),
    "invalid_number": ("Your card number is invalid.", _CHECK, "14", None, "invalid_number"),
    "invalid_pin": (_DECLINED, _CHECK, "55", None, "card_declined"),
    "issuer_not_available": (_DECLINED, _AGAIN, "91", None, "card_declined"),
    "lost_card": (_DECLINED, _NEVER, "41", "03", "card_declined"),
    "merchant_blacklist": (_DECLINED, _NEVER, None, None, "card_declined"),
    "new_account_information_available": (_DECLINED, _CHECK, "79", "01", "card_declined"),
    "no_action_taken": (_DECLINED, None, "21", None, "card_declined"),
    "not_permitted": (_DECLINED, None, "57", None, "card_declined"),
    "offline_pin_required": (_DECLINED, None, "70", None, "card_declined"),
    "online_or_offline_pin_required": (_DECLINED, None, "70", None, "card_declined"),
    "pickup_card": (_DECLINED, _NEVER, "04", "03", "card_declined"),
    "pin_try_exceeded": (_DECLINED, None, "75", None, "card_declined"),
    "processing_error": (
        "An error occurred while processing your card. Try again in a little bit.",
        _AGAIN,
        "96",
        None,
        "processing_error",
    ),
    "reenter_transaction": (_DECLINED, _AGAIN, "19", None, "card_declined"),
    "restricted_card": (_DECLINED, _NEVER, "62", "03", "card_declined"),
    "revocation_of_all_authorizations": (_DECLINED, _NEVER, "R1", "03", "card_declined"),
    "revocation_of_authorization": (_DECLINED, _NEVER, "R0", "21", "card_declined"),
    "security_violation": (_DECLINED, _NEVER, "63", "03", "card_declined"),
    "service_not_allowed": (_DECLINED, None, "57", None, "card_declined"),
    "stolen_card": (_DECLINED, _NEVER, "43", "03", "card_declined"),
    "stop_payment_order": (_DECLINED, _NEVER, "R0", "21", "card_declined"),
    "testmode_decline": (
        "Your card was declined. Your request was in test mode, but used a non test card.",
        None,
        None,
        None,
        "card_declined",
    ),
    "transaction_not_allowed": (_DECLINED, _NEVER, "57", "03", "card_declined"),
    "try_again_later": (_DECLINED, _AGAIN, "91", "02", "card_declined"),
    "withdrawal_count_limit_exceeded": (
        "Your card was declined for exceeding its balance or credit limit.",
        _AGAIN,
        "65",
        "02",
        "card_declined",
    ),
}
DECLINE_CODES = frozenset(_ROWS)
# Radar's outcome is no decline code: the payment never reached the network.
BLOCKED = "highest_risk_level"
# Failures of bank debits are codes of the charge, without a decline code.
DEBIT_CODES = frozenset(
    {"insufficient_funds", "account_closed", "debit_not_authorized", "bank_account_declined"}
)


@dataclass(frozen=True)
class Refusal:
    """Why a payment failed, as Stripe would tell it."""

    code: str
    decline_code: str | None
    message: str
    advice_code: str | None
    network_decline_code: str | None
    network_advice_code: str | None
    outcome: Json


def refusal(step: str | Json) -> Refusal:
    """The refusal of a plan's step: a decline code, or {"code": …} with overrides."""
    overrides = step if isinstance(step, dict) else {}
    name = str(overrides.get("code", step))
    if name == BLOCKED:
        outcome = _outcome(
            "blocked", "not_sent_to_network", BLOCKED, "Stripe blocked this payment as too risky."
        )
        return Refusal("card_declined", "fraudulent", _DECLINED, None, None, None, outcome)
    message, advice, network, network_advice, code = _ROWS[name]
    advice = overrides.get("advice_code", advice)
    network = overrides.get("network_decline_code", network)
    network_advice = overrides.get("network_advice_code", network_advice)
    if "network_status" in overrides:
        outcome = _outcome("invalid", overrides["network_status"], overrides.get("reason", name), message)
    else:
        seller = f"The bank returned the decline code `{name}`."
        outcome = _outcome("issuer_declined", "declined_by_network", name, seller)
    outcome |= {"advice_code": advice, "network_decline_code": network, "network_advice_code": network_advice}
    return Refusal(code, name, message, advice, network, network_advice, outcome)


def debit_refusal(step: str | Json) -> Refusal:
    """A debit that came back: a failure code of the charge without network advice."""
    name = str(step.get("code") if isinstance(step, dict) else step)
    message = "The customer's account could not be debited."
    outcome = _outcome("issuer_declined", "declined_by_network", None, "The bank returned the debit.")
    return Refusal(name, None, message, None, None, None, outcome)


def approval() -> Json:
    return _outcome("authorized", "approved_by_network", None, "Payment complete.")


def _outcome(kind: str, network_status: str, reason: str | None, seller: str) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": "highest" if kind == "blocked" else "normal",
        "seller_message": seller,
        "type": kind,
    }
