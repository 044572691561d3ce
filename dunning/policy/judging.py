"""Reads one refusal: its class, what that means for another try, and who said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise

from dunning.policy.classes import CUSTOMER_WORDS, NEVER_RETRIED, ClassRule, DeclineClass
from dunning.policy.code_table import (
    ADVICE_CARD,
    ADVICE_LATER,
    ADVICE_STOP,
    MASTERCARD_CARD_DATA,
    MASTERCARD_STOP,
    MASTERCARD_WAIT_HOURS,
    VISA_STOP,
    DeclineRule,
    decline_rule,
)


class Said(StrEnum):
    """What decided the class, strongest first."""

    NETWORK = "network"
    ADVICE = "advice"
    WORKSPACE = "workspace"
    TABLE = "table"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One failed try as the provider told it. `network_advice_code` is Mastercard's merchant advice code,
    `network_decline_code` the network's own answer (Visa's category 1 is read from it); "" where unknown."""

    decline_code: str = ""
    advice_code: str = ""
    network_advice_code: str = ""
    network_decline_code: str = ""
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`rule.wait_hours` is the network's wait where it names one."""

    decline_class: DeclineClass
    rule: ClassRule
    said: Said
    code: DeclineRule
    network_wait_hours: int | None = None

    @property
    def is_hard(self) -> bool:
        """No further charge of this card, by anybody."""
        return self.decline_class is DeclineClass.HARD_NETWORK

    @property
    def to_customer(self) -> Promise:
        """What the customer may read: the code's own words while it is of its own class."""
        own = self.decline_class is self.code.decline_class
        return self.code.to_customer if own else CUSTOMER_WORDS[self.decline_class]


def judge(
    refusal: Refusal,
    *,
    rules: Mapping[DeclineClass, ClassRule],
    code_classes: Mapping[str, DeclineClass],
) -> Judgement:
    """The class of a refusal under a policy's rules (`PolicyDefinition.rules`, `.code_classes`).

    A network's or Stripe's "never" goes before everything. "Check the card's data" goes before "later", and both
    before the table; "later" lifts no code that Stripe itself never executes and none that waits for a person.
    """
    row = decline_rule(refusal.decline_code)
    own = None if row.is_fixed else code_classes.get(row.code)
    decline_class = own or row.decline_class
    if stop := _stopped_by(refusal):
        return Judgement(DeclineClass.HARD_NETWORK, rules[DeclineClass.HARD_NETWORK], stop, row)
    said = Said.WORKSPACE if own else Said.UNKNOWN if row.source == "nobody" else Said.TABLE
    if not row.is_fixed and _wants_card_data(refusal):
        rule = row.rule if row.decline_class is DeclineClass.CARD_DATA else rules[DeclineClass.CARD_DATA]
        return Judgement(DeclineClass.CARD_DATA, rule, Said.ADVICE, row)
    wait = _network_wait(refusal)
    if (wait or refusal.advice_code == ADVICE_LATER) and not row.is_fixed:
        return _lifted(row, decline_class, rules, wait, said)
    own_rule = row.own_rule if own is None else None
    return Judgement(decline_class, own_rule or rules[decline_class], said, row)


def _stopped_by(refusal: Refusal) -> Said | None:
    if refusal.brand == "mastercard" and refusal.network_advice_code in MASTERCARD_STOP:
        return Said.NETWORK
    if refusal.brand == "visa" and refusal.network_decline_code in VISA_STOP:
        return Said.NETWORK
    return Said.ADVICE if refusal.advice_code == ADVICE_STOP else None


def _wants_card_data(refusal: Refusal) -> bool:
    by_network = refusal.brand == "mastercard" and refusal.network_advice_code in MASTERCARD_CARD_DATA
    return by_network or refusal.advice_code == ADVICE_CARD


def _network_wait(refusal: Refusal) -> int | None:
    return MASTERCARD_WAIT_HOURS.get(refusal.network_advice_code) if refusal.brand == "mastercard" else None


def _lifted(
    row: DeclineRule,
    decline_class: DeclineClass,
    rules: Mapping[DeclineClass, ClassRule],
    wait: int | None,
    said: Said,
) -> Judgement:
    """Somebody who knows says "later": a class without retries becomes one with them."""
    if decline_class in NEVER_RETRIED - {DeclineClass.HARD_NETWORK}:
        return Judgement(decline_class, rules[decline_class], said, row)
    if not rules[decline_class].is_retried:
        decline_class = DeclineClass.SOFT_UNKNOWN
    voice = Said.NETWORK if wait else Said.ADVICE
    return Judgement(decline_class, rules[decline_class], voice, row, wait)
