"""Every code with which a payment is refused: class, exceptions from the class, words, source and date.

The codes are the 47 of stripe-go of 2026-08-07, two outcomes of a charge that stand for a code, and the error
codes of the Python library 16.1 that name no decline code (bank debits, wallets). Stripe publishes which nine it
never executes again; every other class is a proposal, and `advice_code` goes before it (`judging.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dunning.policy.classes import (
    ACTORS,
    CUSTOMER_WORDS,
    DEFAULT_RULES,
    Actor,
    ClassRule,
    DeclineClass,
    NoticeRule,
)

TABLE_DATE = date(2026, 11, 22)


class Source(StrEnum):
    """Who says that a code is of this class."""

    STRIPE_NEVER = "stripe_never"
    STRIPE_CODES = "stripe_codes"
    STRIPE_OUTCOME = "stripe_outcome"
    STRIPE_ERRORS = "stripe_errors"
    NOBODY = "nobody"


SOURCE_WORDS: dict[Source, Promise] = {
    Source.STRIPE_NEVER: _("Stripe never tries it again"),
    Source.STRIPE_CODES: _("Stripe's decline codes; the class is a proposal"),
    Source.STRIPE_OUTCOME: _("Outcome of a charge at Stripe"),
    Source.STRIPE_ERRORS: _("Error codes of Stripe's library; the class is a proposal"),
    Source.NOBODY: _("No source: unknown code, treated as refused without a reason"),
}
SOURCE_LINKS: dict[Source, str] = {
    Source.STRIPE_NEVER: "https://docs.stripe.com/billing/revenue-recovery/smart-retries",
    Source.STRIPE_CODES: "https://docs.stripe.com/declines/codes",
    Source.STRIPE_OUTCOME: "https://docs.stripe.com/declines",
    Source.STRIPE_ERRORS: "https://docs.stripe.com/error-codes",
}
SOURCE_DATES: dict[Source, date] = {
    Source.STRIPE_NEVER: TABLE_DATE,
    Source.STRIPE_CODES: date(2026, 8, 7),
    Source.STRIPE_OUTCOME: TABLE_DATE,
    Source.STRIPE_ERRORS: TABLE_DATE,
    Source.NOBODY: TABLE_DATE,
}


@dataclass(frozen=True, slots=True)
class DeclineRule:
    """One code. `own_rule` differs from its class's where the code asks for it; `is_fixed`: nobody may move it."""

    code: str
    decline_class: DeclineClass
    to_csm: Promise
    source: Source = Source.STRIPE_CODES
    own_rule: ClassRule | None = None
    own_words: Promise | None = None

    @property
    def rule(self) -> ClassRule:
        return self.own_rule or DEFAULT_RULES[self.decline_class]

    @property
    def actor(self) -> Actor:
        return ACTORS[self.decline_class]

    @property
    def to_customer(self) -> Promise:
        return self.own_words or CUSTOMER_WORDS[self.decline_class]

    @property
    def checked_on(self) -> date:
        return SOURCE_DATES[self.source]

    @property
    def is_fixed(self) -> bool:
        never = self.source in (Source.STRIPE_NEVER, Source.STRIPE_OUTCOME)
        return never or self.decline_class is DeclineClass.CHECK_FIRST


C = DeclineClass
# The account updater may have replaced the card by then: one late try, the notice still goes at once.
LATE_TRY = ClassRule(True, 7 * 24, NoticeRule.AT_ONCE, 1)
_EXPIRED = _("Your card has expired. Please enter a new one.")
_NUMBER = _("The number of your card was not accepted. Please enter it anew.")
_CODE = _("The security code of your card was not accepted. Please enter it anew.")
_DATE = _("The expiry date of your card was not accepted. Please enter it anew.")
_BANK = _("Your bank did not accept this card for now. Please use another one or ask your bank.")
_CURRENCY = _("This card cannot pay in this currency. Please use another one.")
_MANDATE = _("Your bank account cannot be charged any more. Please enter another payment method.")

_NEVER = (
    DeclineRule(
        "authentication_required",
        C.AUTH,
        _("The bank wants the person to confirm (3-D Secure)"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "incorrect_number",
        C.HARD_NETWORK,
        _("The card number is wrong"),
        Source.STRIPE_NEVER,
        own_words=_NUMBER,
    ),
    DeclineRule(
        "lost_card",
        C.HARD_NETWORK,
        _("Reported lost; tell the customer only to use another card"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "pickup_card",
        C.HARD_NETWORK,
        _("The bank withdrew the card; tell the customer only to use another card"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "stolen_card",
        C.HARD_NETWORK,
        _("Reported stolen; tell the customer only to use another card"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "revocation_of_authorization",
        C.HARD_NETWORK,
        _("The customer told the bank to stop this payment"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "revocation_of_all_authorizations",
        C.HARD_NETWORK,
        _("The customer told the bank to stop all payments to us"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "transaction_not_allowed",
        C.HARD_NETWORK,
        _("The bank does not allow this payment with this card"),
        Source.STRIPE_NEVER,
    ),
    DeclineRule(
        "highest_risk_level",
        C.HARD_NETWORK,
        _("Blocked by Stripe's risk check (Radar)"),
        Source.STRIPE_OUTCOME,
    ),
    DeclineRule(
        "previously_declined_do_not_retry",
        C.HARD_NETWORK,
        _("Stripe did not send it: the bank had refused this card for good"),
        Source.STRIPE_OUTCOME,
    ),
)
_HARD = (
    DeclineRule("do_not_try_again", C.HARD_NETWORK, _("The bank wants no further try")),
    DeclineRule("stop_payment_order", C.HARD_NETWORK, _("The customer told the bank to stop this payment")),
    DeclineRule(
        "restricted_card",
        C.HARD_NETWORK,
        _("The card is restricted; tell the customer only to use another card"),
    ),
    DeclineRule("security_violation", C.HARD_NETWORK, _("Refused by the bank's security check")),
    DeclineRule("invalid_account", C.HARD_NETWORK, _("The card or the account behind it is not valid")),
    DeclineRule(
        "fraudulent", C.HARD_NETWORK, _("Stripe suspects misuse; tell the customer only to use another card")
    ),
    DeclineRule(
        "merchant_blacklist",
        C.HARD_NETWORK,
        _("The card is on your block list at Stripe; tell the customer only to use another card"),
    ),
)
_PERSON = (
    DeclineRule("offline_pin_required", C.AUTH, _("The bank wants a PIN")),
    DeclineRule("online_or_offline_pin_required", C.AUTH, _("The bank wants a PIN")),
    DeclineRule(
        "expired_card", C.CARD_DATA, _("The card has expired"), own_rule=LATE_TRY, own_words=_EXPIRED
    ),
    DeclineRule(
        "new_account_information_available",
        C.CARD_DATA,
        _("The bank has issued a new card"),
        own_rule=LATE_TRY,
    ),
    DeclineRule("incorrect_cvc", C.CARD_DATA, _("The security code is wrong"), own_words=_CODE),
    DeclineRule("invalid_cvc", C.CARD_DATA, _("The security code is wrong"), own_words=_CODE),
    DeclineRule("invalid_number", C.CARD_DATA, _("The card number is wrong"), own_words=_NUMBER),
    DeclineRule("invalid_expiry_month", C.CARD_DATA, _("The expiry date is wrong"), own_words=_DATE),
    DeclineRule("invalid_expiry_year", C.CARD_DATA, _("The expiry date is wrong"), own_words=_DATE),
    DeclineRule("incorrect_zip", C.CARD_DATA, _("The postal code is wrong")),
    DeclineRule("incorrect_pin", C.CARD_DATA, _("The PIN is wrong"), own_words=_BANK),
    DeclineRule("invalid_pin", C.CARD_DATA, _("The PIN is wrong"), own_words=_BANK),
    DeclineRule("pin_try_exceeded", C.CARD_DATA, _("The PIN was entered wrongly too often"), own_words=_BANK),
    DeclineRule(
        "card_not_supported", C.NOT_THIS_PURCHASE, _("The card does not support this kind of payment")
    ),
    DeclineRule(
        "currency_not_supported",
        C.NOT_THIS_PURCHASE,
        _("The card cannot pay in this currency"),
        own_words=_CURRENCY,
    ),
    DeclineRule("service_not_allowed", C.NOT_THIS_PURCHASE, _("The bank does not allow this service")),
    DeclineRule("not_permitted", C.NOT_THIS_PURCHASE, _("The bank does not permit this payment")),
    DeclineRule("invalid_amount", C.NOT_THIS_PURCHASE, _("The amount is not valid or over the card's limit")),
)
_SOFT = (
    DeclineRule("insufficient_funds", C.SOFT_FUNDS, _("Not enough money on the card")),
    DeclineRule("card_velocity_exceeded", C.SOFT_FUNDS, _("The card's limit is used up")),
    DeclineRule("withdrawal_count_limit_exceeded", C.SOFT_FUNDS, _("The card's limit is used up")),
    DeclineRule("processing_error", C.SOFT_TECHNICAL, _("An error while processing the card")),
    DeclineRule("issuer_not_available", C.SOFT_TECHNICAL, _("The bank could not be reached")),
    DeclineRule(
        "reenter_transaction", C.SOFT_TECHNICAL, _("The bank could not process it and asks for another try")
    ),
    DeclineRule("try_again_later", C.SOFT_TECHNICAL, _("The bank asks for another try later")),
    DeclineRule(
        "approve_with_id", C.SOFT_TECHNICAL, _("The bank could not approve it; another try may pass")
    ),
    DeclineRule("generic_decline", C.SOFT_UNKNOWN, _("Refused, the bank gives no reason")),
    DeclineRule("do_not_honor", C.SOFT_UNKNOWN, _("Refused, the bank gives no reason")),
    DeclineRule("call_issuer", C.SOFT_UNKNOWN, _("Refused; the customer should call the bank")),
    DeclineRule("no_action_taken", C.SOFT_UNKNOWN, _("Refused, the bank gives no reason")),
    DeclineRule(
        "duplicate_transaction",
        C.CHECK_FIRST,
        _("The same amount was charged just before: it may be paid already"),
    ),
    DeclineRule("testmode_decline", C.TEST, _("A test card in live mode, or the other way round")),
)
E_ = Source.STRIPE_ERRORS
_ERRORS = (
    DeclineRule("card_declined", C.SOFT_UNKNOWN, _("Refused, the bank gives no reason"), E_),
    DeclineRule(
        "card_decline_rate_limit_exceeded",
        C.SOFT_UNKNOWN,
        _("This card was refused too often within a day"),
        E_,
    ),
    DeclineRule("bank_account_declined", C.NOT_THIS_PURCHASE, _("The bank account cannot be used"), E_),
    DeclineRule("bank_account_restricted", C.HARD_NETWORK, _("The bank account is restricted"), E_),
    DeclineRule(
        "bank_account_unusable", C.HARD_NETWORK, _("The bank account cannot be used"), E_, own_words=_MANDATE
    ),
    DeclineRule(
        "debit_not_authorized",
        C.HARD_NETWORK,
        _("The customer says the debit was not authorized"),
        E_,
        own_words=_MANDATE,
    ),
    DeclineRule("expired_payment_method", C.CARD_DATA, _("The payment method has expired"), E_),
    DeclineRule("incorrect_address", C.CARD_DATA, _("The address is wrong"), E_),
    DeclineRule("incorrect_postal_code", C.CARD_DATA, _("The postal code is wrong"), E_),
    DeclineRule(
        "invalid_card_type", C.NOT_THIS_PURCHASE, _("The card does not support this kind of payment"), E_
    ),
    DeclineRule(
        "payment_intent_authentication_failure", C.AUTH, _("The person did not confirm the payment"), E_
    ),
    DeclineRule(
        "payment_method_bank_account_blocked",
        C.HARD_NETWORK,
        _("The bank account is blocked"),
        E_,
        own_words=_MANDATE,
    ),
    DeclineRule(
        "payment_method_currency_mismatch",
        C.NOT_THIS_PURCHASE,
        _("The payment method cannot pay in this currency"),
        E_,
    ),
    DeclineRule("payment_method_customer_decline", C.AUTH, _("The person declined the payment"), E_),
    DeclineRule(
        "payment_method_not_available", C.SOFT_TECHNICAL, _("The payment service is not available"), E_
    ),
    DeclineRule(
        "payment_method_provider_decline",
        C.SOFT_UNKNOWN,
        _("The payment service refused without a reason"),
        E_,
    ),
    DeclineRule(
        "payment_method_provider_timeout",
        C.SOFT_TECHNICAL,
        _("The payment service did not answer in time"),
        E_,
    ),
    DeclineRule("payment_method_restricted", C.NOT_THIS_PURCHASE, _("The payment method is restricted"), E_),
)
DECLINE_RULES: dict[str, DeclineRule] = {
    rule.code: rule for rule in (*_NEVER, *_HARD, *_PERSON, *_SOFT, *_ERRORS)
}

ADVICE_STOP, ADVICE_LATER, ADVICE_CARD = "do_not_try_again", "try_again_later", "confirm_card_data"
# Mastercard's merchant advice codes (as acquirers publish them): never again, and waits in hours.
MASTERCARD_STOP = frozenset({"03", "21"})
MASTERCARD_CARD_DATA = frozenset({"01"})
MASTERCARD_WAIT_HOURS = {"02": 72, "24": 1, "25": 24, "26": 48, "27": 96, "28": 144, "29": 192, "30": 240}
# Visa's category 1, "the issuer will never approve": the union of three lists that differ.
VISA_STOP = frozenset({"04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"})
# Tries per card in 30 days (Visa's newer limit of 20 is published, Stripe still says 15: the lower one holds).
CARD_CAPS = {"visa": 15, "mastercard": 35}
ONE_ATTEMPT_COUNTRIES = frozenset({"IN"})


def decline_rule(code: str) -> DeclineRule:
    """The row of a code; an unknown one is refused without a reason, and says so."""
    known = DECLINE_RULES.get(code)
    if known is not None:
        return known
    words = _("A code that is not in the table; treated as refused without a reason")
    return DeclineRule(code, DeclineClass.SOFT_UNKNOWN, words, Source.NOBODY)
