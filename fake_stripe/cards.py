"""Stripe's test cards and the names under which its test payment methods are known, and ours for every code."""

import hashlib

from fake_stripe.declines import BLOCKED, DECLINE_CODES
from fake_stripe.wire import Json

# number: (brand, country, outcome, what a person at the hosted page reads)
TEST_CARDS: dict[str, tuple[str, str, str, str]] = {
    "4242424242424242": ("visa", "US", "ok", "Visa, works"),
    "5555555555554444": ("mastercard", "US", "ok", "Mastercard, works"),
    "378282246310005": ("amex", "US", "ok", "American Express, works"),
    "4000004100000000": ("visa", "KR", "ok", "Visa from Korea, works"),
    "4000002760000016": ("visa", "DE", "ok", "Visa from Germany, works"),
    "4000003560000008": ("visa", "IN", "ok", "Visa from India, works"),
    "4000000000000341": ("visa", "US", "generic_decline", "Can be saved, is declined when charged"),
    "4000000000000002": ("visa", "US", "generic_decline", "Declined"),
    "4000000000009995": ("visa", "US", "insufficient_funds", "Insufficient funds"),
    "4000000000009987": ("visa", "US", "lost_card", "Reported lost"),
    "4000000000009979": ("visa", "US", "stolen_card", "Reported stolen"),
    "4000000000000069": ("visa", "US", "expired_card", "Expired"),
    "4000000000000127": ("visa", "US", "incorrect_cvc", "Wrong security code"),
    "4000000000000119": ("visa", "US", "processing_error", "Processing error"),
    "4242424242424241": ("visa", "US", "incorrect_number", "Wrong number"),
    "4000000000006975": ("visa", "US", "card_velocity_exceeded", "Over its limit"),
    "4100000000000019": ("visa", "US", BLOCKED, "Blocked as too risky"),
    "4000002500003155": ("visa", "US", "3ds_setup", "Needs authentication once, when saved"),
    "4000002760003184": ("visa", "DE", "3ds", "Needs authentication at every payment"),
    "4000008260003178": ("visa", "GB", "3ds_insufficient_funds", "Authentication, then insufficient funds"),
}
# The names that Stripe gives to ready-made payment methods.
TOKENS = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "kr": "4000004100000000",
    "de": "4000002760000016",
    "in": "4000003560000008",
    "chargeCustomerFail": "4000000000000341",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "radarBlock": "4100000000000019",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
}


def card_of_token(name: str) -> tuple[str, str] | None:
    """(number, outcome) of `pm_card_visa`, `tok_visa` or, ours, `pm_fake_<decline code>`."""
    for prefix in ("pm_card_", "tok_"):
        bare = name.removeprefix(prefix)
        if name.startswith(prefix) and bare in TOKENS:
            return TOKENS[bare], TEST_CARDS[TOKENS[bare]][2]
    outcome = name.removeprefix("pm_fake_")
    if name.startswith("pm_fake_") and (outcome in DECLINE_CODES or outcome in (BLOCKED, "ok", "3ds")):
        return "4242424242424242", outcome
    return None


def card_details(number: str, *, exp_month: int = 12, exp_year: int = 2034, brand: str | None = None) -> Json:
    """The `card` of a payment method. The fingerprint follows the number, as Stripe's does."""
    known = TEST_CARDS.get(number, ("visa", "US", "ok", ""))
    name = brand or known[0]
    return {
        "brand": name,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": known[1],
        "display_brand": name,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": fingerprint(number),
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": [name], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def fingerprint(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]
