"""Kinds of refusals, and what each means for retries, notices and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DeclineClass(StrEnum):
    """What a refusal says about trying again. Kept apart because each asks something else of somebody else."""

    HARD_NETWORK = "hard_network"
    AUTH = "auth"
    CARD_DATA = "card_data"
    NOT_THIS_PURCHASE = "not_this_purchase"
    SOFT_FUNDS = "soft_funds"
    SOFT_TECHNICAL = "soft_technical"
    SOFT_UNKNOWN = "soft_unknown"
    CHECK_FIRST = "check_first"
    TEST = "test"


class NoticeRule(StrEnum):
    """When the notices to the customer begin."""

    AT_ONCE = "at_once"
    AFTER_SILENT_RETRIES = "after_silent_retries"
    NEVER = "never"


class Actor(StrEnum):
    """Who can get the payment through."""

    CUSTOMER = "customer"
    BANK = "bank"
    TIME = "time"
    US = "us"


@dataclass(frozen=True, slots=True)
class ClassRule:
    """`wait_hours` before the next retry, `most_retries` of one card after refusals of this class."""

    is_retried: bool
    wait_hours: int
    notice: NoticeRule
    most_retries: int = 15

    @property
    def wait(self) -> timedelta:
        return timedelta(hours=self.wait_hours)


# A retry after these would break a rule of the networks, do nothing, or charge twice: no policy may allow it.
NEVER_RETRIED = frozenset(
    {DeclineClass.HARD_NETWORK, DeclineClass.AUTH, DeclineClass.CHECK_FIRST, DeclineClass.TEST}
)
HARD_DECLINES = frozenset(
    {DeclineClass.HARD_NETWORK, DeclineClass.CARD_DATA, DeclineClass.NOT_THIS_PURCHASE, DeclineClass.AUTH}
)

# Proposed, as Stripe publishes no table of classes: spaces of days for money, of hours for machines.
DEFAULT_RULES: dict[DeclineClass, ClassRule] = {
    DeclineClass.HARD_NETWORK: ClassRule(False, 0, NoticeRule.AT_ONCE, 0),
    DeclineClass.AUTH: ClassRule(False, 0, NoticeRule.AT_ONCE, 0),
    DeclineClass.CARD_DATA: ClassRule(False, 0, NoticeRule.AT_ONCE, 0),
    DeclineClass.NOT_THIS_PURCHASE: ClassRule(False, 0, NoticeRule.AT_ONCE, 0),
    DeclineClass.SOFT_FUNDS: ClassRule(True, 72, NoticeRule.AFTER_SILENT_RETRIES),
    DeclineClass.SOFT_TECHNICAL: ClassRule(True, 4, NoticeRule.AFTER_SILENT_RETRIES, 5),
    DeclineClass.SOFT_UNKNOWN: ClassRule(True, 48, NoticeRule.AFTER_SILENT_RETRIES, 3),
    DeclineClass.CHECK_FIRST: ClassRule(False, 0, NoticeRule.NEVER, 0),
    DeclineClass.TEST: ClassRule(False, 0, NoticeRule.NEVER, 0),
}
ACTORS: dict[DeclineClass, Actor] = {
    DeclineClass.HARD_NETWORK: Actor.CUSTOMER,
    DeclineClass.AUTH: Actor.CUSTOMER,
    DeclineClass.CARD_DATA: Actor.CUSTOMER,
    DeclineClass.NOT_THIS_PURCHASE: Actor.CUSTOMER,
    DeclineClass.SOFT_FUNDS: Actor.TIME,
    DeclineClass.SOFT_TECHNICAL: Actor.TIME,
    DeclineClass.SOFT_UNKNOWN: Actor.BANK,
    DeclineClass.CHECK_FIRST: Actor.US,
    DeclineClass.TEST: Actor.US,
}
CLASS_WORDS: dict[DeclineClass, Promise] = {
    DeclineClass.HARD_NETWORK: _("Refused for good"),
    DeclineClass.AUTH: _("Needs confirmation"),
    DeclineClass.CARD_DATA: _("Card details"),
    DeclineClass.NOT_THIS_PURCHASE: _("Not for this payment"),
    DeclineClass.SOFT_FUNDS: _("Not enough money"),
    DeclineClass.SOFT_TECHNICAL: _("Technical error"),
    DeclineClass.SOFT_UNKNOWN: _("Refused without a reason"),
    DeclineClass.CHECK_FIRST: _("Check first"),
    DeclineClass.TEST: _("Test code"),
}
NOTICE_WORDS: dict[NoticeRule, Promise] = {
    NoticeRule.AT_ONCE: _("At once"),
    NoticeRule.AFTER_SILENT_RETRIES: _("After the silent retries"),
    NoticeRule.NEVER: _("None"),
}
ACTOR_WORDS: dict[Actor, Promise] = {
    Actor.CUSTOMER: _("The customer"),
    Actor.BANK: _("The customer with their bank"),
    Actor.TIME: _("Nobody yet, time helps"),
    Actor.US: _("We do"),
}
# What a customer's person may read. Never "stolen", "lost" or "fraud": we do not know, and it may not be theirs.
CUSTOMER_WORDS: dict[DeclineClass, Promise] = {
    DeclineClass.HARD_NETWORK: _("Your bank did not accept this payment method. Please use another one."),
    DeclineClass.AUTH: _("Your bank asks you to confirm this payment."),
    DeclineClass.CARD_DATA: _("Some details of your card were not accepted. Please enter them anew."),
    DeclineClass.NOT_THIS_PURCHASE: _(
        "This payment method cannot be used for this payment. Please use another one."
    ),
    DeclineClass.SOFT_FUNDS: _("The payment could not be completed with this card at the moment."),
    DeclineClass.SOFT_TECHNICAL: _("A technical problem kept the payment from being completed."),
    DeclineClass.SOFT_UNKNOWN: _(
        "Your bank declined the payment without a reason. It can tell you more, or you use another card."
    ),
    DeclineClass.CHECK_FIRST: _("We are checking whether this payment has already arrived."),
    DeclineClass.TEST: _("The payment could not be made. We are looking into it; you need not do anything."),
}
