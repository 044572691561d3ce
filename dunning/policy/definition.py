"""A workspace's policy as data: how failed payments are collected, and what is said when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dunning.policy.classes import DEFAULT_RULES, ClassRule, DeclineClass, NoticeRule
from dunning.policy.code_table import decline_rule
from dunning.policy.judging import Judgement, Refusal, judge

# What every known network allows (the database holds it too), whatever a policy says.
CAP_ATTEMPTS, CAP_DAYS = 15, 30
LEAST_HOURS_APART = 20
LAST_NOTICE_DAYS = 3  # before the end
EVERYWHERE, LAST_DAY = "*", -1


class EndState(StrEnum):
    """What becomes of the subscription when the time is over."""

    CANCEL = "cancel"
    PAUSE = "pause"
    LEAVE_PAST_DUE = "leave_past_due"


class RetriedBy(StrEnum):
    PLATFORM = "platform"
    STRIPE = "stripe"


class ReminderScope(StrEnum):
    """Whom a reminder before the payment goes to."""

    NOBODY = "nobody"
    ANNUAL = "annual"
    EVERYBODY = "everybody"


END_STATE_WORDS: dict[EndState, Promise] = {
    EndState.CANCEL: _("Cancel the subscription"),
    EndState.PAUSE: _("Pause the subscription"),
    EndState.LEAVE_PAST_DUE: _("Leave it past due"),
}
RETRIED_BY_WORDS: dict[RetriedBy, Promise] = {
    RetriedBy.PLATFORM: _("This platform, by the rules below"),
    RetriedBy.STRIPE: _("Stripe, by its own schedule; cases and notices stay here"),
}
REMINDER_WORDS: dict[ReminderScope, Promise] = {
    ReminderScope.NOBODY: _("Nobody"),
    ReminderScope.ANNUAL: _("Annual subscriptions only"),
    ReminderScope.EVERYBODY: _("Everybody"),
}
DEFAULT_PAY_DAYS: dict[str, tuple[int, ...]] = {EVERYWHERE: (1, 15, LAST_DAY), "KR": (10, 25)}


@dataclass(frozen=True, slots=True)
class PolicyDefinition:
    """A whole version. Hours are local and half-open [from, until); days count from the first failure.

    `code_classes` holds only what differs from the table. `handoff_arr_minor` is in the workspace's report
    currency; None hands nothing over by itself. Days before something are the largest first; empty = off.
    """

    attempts: int = 8
    window_days: int = 14
    rules: Mapping[DeclineClass, ClassRule] = field(default_factory=lambda: dict(DEFAULT_RULES))
    code_classes: Mapping[str, DeclineClass] = field(default_factory=dict)
    silent_retries: int = 2
    silent_days: int = 3
    pay_days: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: dict(DEFAULT_PAY_DAYS))
    hour_from: int = 6
    hour_until: int = 10
    technical_wait_hours: tuple[int, ...] = (4, 12, 24)
    duration_days: int = 28
    end_state: EndState = EndState.LEAVE_PAST_DUE
    marks_uncollectible: bool = False
    retried_by: RetriedBy = RetriedBy.PLATFORM
    reminder_scope: ReminderScope = ReminderScope.ANNUAL
    reminder_days: int = 3
    annual_reminder_days: int = 30
    card_expiry_days: tuple[int, ...] = (30, 14, 7)
    price_change_days: int = 30
    discount_end_days: int = 30
    handoff_arr_minor: int | None = 1_000_000
    handoff_days: int = 7
    holdout_percent: int = 10
    _judged: dict[Refusal, Judgement] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def defaults(cls) -> PolicyDefinition:
        """What a workspace begins with. The end state changes nothing until an admin chooses one that does."""
        return cls()

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> PolicyDefinition:
        """A stored definition that was checked when it was published; what it does not say is the default."""
        plain = {name: data[name] for name in PLAIN_FIELDS if name in data}
        lists: dict[str, Any] = {name: tuple(data[name]) for name in LIST_FIELDS if name in data}
        rules = dict(DEFAULT_RULES)
        for name, rule in data.get("rules", {}).items():
            rules[DeclineClass(name)] = ClassRule(
                rule["is_retried"], rule["wait_hours"], NoticeRule(rule["notice"]), rule["most_retries"]
            )
        return cls(
            **plain,
            **lists,
            rules=rules,
            code_classes={code: DeclineClass(name) for code, name in data.get("code_classes", {}).items()},
            pay_days={place: tuple(days) for place, days in data.get("pay_days", DEFAULT_PAY_DAYS).items()},
            end_state=EndState(data.get("end_state", EndState.LEAVE_PAST_DUE)),
            retried_by=RetriedBy(data.get("retried_by", RetriedBy.PLATFORM)),
            reminder_scope=ReminderScope(data.get("reminder_scope", ReminderScope.ANNUAL)),
        )

    @classmethod
    def of_text(cls, text: str) -> PolicyDefinition:
        """`of_json` of a stored text; the same text is the same object."""
        return _of_text(text)

    def to_json(self) -> dict[str, Any]:
        """The stored form; `parse_policy` reads it back to an equal object."""
        rules = {
            str(name): {
                "is_retried": rule.is_retried,
                "wait_hours": rule.wait_hours,
                "notice": str(rule.notice),
                "most_retries": rule.most_retries,
            }
            for name, rule in self.rules.items()
        }
        return {
            **{name: getattr(self, name) for name in PLAIN_FIELDS},
            **{name: list(getattr(self, name)) for name in LIST_FIELDS},
            "rules": rules,
            "code_classes": {code: str(name) for code, name in sorted(self.code_classes.items())},
            "pay_days": {place: list(days) for place, days in sorted(self.pay_days.items())},
            "end_state": str(self.end_state),
            "retried_by": str(self.retried_by),
            "reminder_scope": str(self.reminder_scope),
        }

    def judge(self, refusal: Refusal) -> Judgement:
        """What a refusal means under this policy."""
        known = self._judged.get(refusal)
        if known is None:
            known = judge(refusal, rules=self.rules, code_classes=self.code_classes)
            self._judged[refusal] = known
        return known

    def class_of(self, code: str) -> DeclineClass:
        """The class of a bare code under this policy, without anybody's advice."""
        return self.judge(Refusal(code)).decline_class

    def rule_of(self, code: str) -> ClassRule:
        """The rule of a bare code: its own where the table gives it one and its class was not changed."""
        row = decline_rule(code)
        decline_class = self.class_of(code)
        return (
            row.own_rule if row.own_rule and decline_class is row.decline_class else self.rules[decline_class]
        )

    def pay_days_of(self, country: str) -> tuple[int, ...]:
        """Days of the month, LAST_DAY for its last one."""
        return self.pay_days.get(country.upper(), self.pay_days.get(EVERYWHERE, ()))

    @property
    def duration(self) -> timedelta:
        return timedelta(days=self.duration_days)


PLAIN_FIELDS = (
    "attempts",
    "window_days",
    "silent_retries",
    "silent_days",
    "hour_from",
    "hour_until",
    "duration_days",
    "marks_uncollectible",
    "reminder_days",
    "annual_reminder_days",
    "price_change_days",
    "discount_end_days",
    "handoff_arr_minor",
    "handoff_days",
    "holdout_percent",
)
LIST_FIELDS = ("technical_wait_hours", "card_expiry_days")


@lru_cache(maxsize=64)
def _of_text(text: str) -> PolicyDefinition:
    return PolicyDefinition.of_json(json.loads(text))
