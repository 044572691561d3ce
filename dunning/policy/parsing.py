"""Reads a draft of a policy and names every mistake in it, in words, in one round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.utils.translation import gettext

from dunning.policy.classes import (
    CLASS_WORDS,
    DEFAULT_RULES,
    NEVER_RETRIED,
    ClassRule,
    DeclineClass,
    NoticeRule,
)
from dunning.policy.code_table import DECLINE_RULES
from dunning.policy.country_zones import COUNTRIES
from dunning.policy.definition import (
    CAP_ATTEMPTS,
    CAP_DAYS,
    DEFAULT_PAY_DAYS,
    EVERYWHERE,
    LAST_DAY,
    LAST_NOTICE_DAYS,
    LIST_FIELDS,
    PLAIN_FIELDS,
    EndState,
    PolicyDefinition,
    ReminderScope,
    RetriedBy,
)

Word = TypeVar("Word", bound=StrEnum)
LEAST_HOLDOUT = 5
ANNUAL_REMINDER = (15, 45)  # California: 15 to 45 days before the renewal of a term of a year or more
KNOWN = frozenset(
    {
        *PLAIN_FIELDS,
        *LIST_FIELDS,
        "rules",
        "code_classes",
        "pay_days",
        "end_state",
        "retried_by",
        "reminder_scope",
    }
)
LIMITS: dict[str, tuple[int, int]] = {
    "attempts": (1, CAP_ATTEMPTS),
    "window_days": (1, CAP_DAYS),
    "silent_retries": (0, 5),
    "silent_days": (0, 14),
    "hour_from": (0, 23),
    "hour_until": (1, 24),
    "duration_days": (7, 90),
    "reminder_days": (1, 30),
    "annual_reminder_days": ANNUAL_REMINDER,
    "price_change_days": (1, 90),
    "discount_end_days": (1, 90),
    "handoff_days": (0, 90),
    "holdout_percent": (0, 50),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the field as a path ("attempts", "rules.soft_funds.wait_hours") and a sentence."""

    field: str
    message: str


class PolicyError(ValueError):
    """A draft that cannot be put in force; `problems` names every field that must change."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))


def parse_policy(raw: Any) -> PolicyDefinition:
    """Read a whole definition strictly; what is left out is the default. Raises PolicyError with every problem."""
    reader = _Reader(raw)
    defaults = PolicyDefinition.defaults()
    numbers = {
        name: reader.number(name, getattr(defaults, name), low, high) for name, (low, high) in LIMITS.items()
    }
    found = PolicyDefinition(
        **numbers,
        rules=reader.rules(),
        code_classes=reader.code_classes(),
        pay_days=reader.pay_days(),
        technical_wait_hours=reader.numbers(
            "technical_wait_hours", defaults.technical_wait_hours, 1, 72, least=1
        ),
        card_expiry_days=reader.numbers("card_expiry_days", defaults.card_expiry_days, 1, 60, falling=True),
        end_state=reader.choice("end_state", EndState, defaults.end_state),
        retried_by=reader.choice("retried_by", RetriedBy, defaults.retried_by),
        reminder_scope=reader.choice("reminder_scope", ReminderScope, defaults.reminder_scope),
        marks_uncollectible=reader.flag("marks_uncollectible", defaults.marks_uncollectible),
        handoff_arr_minor=reader.amount("handoff_arr_minor", defaults.handoff_arr_minor),
    )
    reader.check_together(found)
    if reader.problems:
        raise PolicyError(reader.problems)
    return found


class _Reader:
    """Collects problems while it reads."""

    def __init__(self, raw: Any) -> None:
        self.problems: list[Problem] = []
        self.raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        for name in self.raw:
            if name not in KNOWN:
                self.complain(str(name), gettext("This setting is not known here."))

    def complain(self, field: str, message: str) -> None:
        self.problems.append(Problem(field, message))

    def number(self, field: str, default: int, low: int, high: int) -> int:
        return self.whole(self.raw.get(field, default), field, low, high)

    def whole(self, value: Any, field: str, low: int, high: int) -> int:
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value.strip())
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain(field, gettext("Enter a whole number."))
        elif not low <= value <= high:
            self.complain(field, _out_of_range(field) % {"low": low, "high": high})
        else:
            return value
        return low

    def amount(self, field: str, default: int | None) -> int | None:
        value = self.raw.get(field, default)
        if isinstance(value, str):
            self.complain(field, gettext("Enter an amount."))
            return default
        return None if value is None else self.whole(value, field, 0, 10**15)

    def flag(self, field: str, default: bool) -> bool:
        value = self.raw.get(field, default)
        if not isinstance(value, bool):
            self.complain(field, gettext("Choose yes or no."))
        return bool(value)

    def choice(self, field: str, words: type[Word], default: Word) -> Word:
        return self.one_of(self.raw.get(field, default), field, words, default)

    def one_of(self, value: Any, field: str, words: type[Word], default: Word) -> Word:
        if isinstance(value, str) and value in set(words):
            return words(value)
        self.complain(field, gettext("Choose one of the list."))
        return default

    def numbers(
        self, field: str, default: tuple[int, ...], low: int, high: int, least: int = 0, falling: bool = False
    ) -> tuple[int, ...]:
        value = self.raw.get(field, default)
        if not isinstance(value, list | tuple) or len(value) > 6:
            self.complain(field, gettext("Enter at most 6 numbers."))
            return default
        before = len(self.problems)
        found = [self.whole(item, field, low, high) for item in value]
        if len(self.problems) > before + 1:  # one sentence for the list is enough
            del self.problems[before + 1 :]
        if len(found) < least:
            self.complain(field, gettext("Enter at least one number."))
        elif len(self.problems) == before and found != sorted(set(found), reverse=falling):
            words = gettext("The largest number first, none twice.") if falling else ""
            self.complain(field, words or gettext("The smallest number first, none twice."))
        return tuple(found)

    def rules(self) -> dict[DeclineClass, ClassRule]:
        raw = self.raw.get("rules", {})
        found = dict(DEFAULT_RULES)
        if not isinstance(raw, Mapping):
            self.complain("rules", gettext("This setting is not known here."))
            return found
        for name, item in raw.items():
            if name not in set(DeclineClass):
                self.complain(f"rules.{name}", gettext("This class is not known here."))
                continue
            kind = DeclineClass(name)
            found[kind] = self._rule(kind, item if isinstance(item, Mapping) else {}, f"rules.{name}")
        return found

    def _rule(self, kind: DeclineClass, item: Mapping[str, Any], at: str) -> ClassRule:
        usual = DEFAULT_RULES[kind]
        is_retried = item.get("is_retried", usual.is_retried)
        if not isinstance(is_retried, bool):
            self.complain(f"{at}.is_retried", gettext("Choose yes or no."))
        if is_retried and kind in NEVER_RETRIED:
            words = gettext("“%(class)s” is never tried again; no setting changes that.")
            self.complain(f"{at}.is_retried", words % {"class": CLASS_WORDS[kind]})
            is_retried = False
        least_wait = 1 if is_retried else 0
        wait = self.whole(item.get("wait_hours", usual.wait_hours), f"{at}.wait_hours", least_wait, 24 * 14)
        most = self.whole(
            item.get("most_retries", usual.most_retries), f"{at}.most_retries", least_wait, CAP_ATTEMPTS
        )
        notice = self.one_of(item.get("notice", usual.notice), f"{at}.notice", NoticeRule, usual.notice)
        return ClassRule(bool(is_retried), wait, notice, most)

    def code_classes(self) -> dict[str, DeclineClass]:
        raw = self.raw.get("code_classes", {})
        found: dict[str, DeclineClass] = {}
        for code, name in raw.items() if isinstance(raw, Mapping) else ():
            row, at = DECLINE_RULES.get(code), f"code_classes.{code}"
            if row is None:
                self.complain(at, gettext("This code is not in the table."))
            elif not isinstance(name, str) or name not in set(DeclineClass):
                self.complain(at, gettext("Choose one of the list."))
            elif row.is_fixed and name != row.decline_class:
                self.complain(
                    at, gettext("The class of this code stays: another try would be refused or charge twice.")
                )
            elif name != row.decline_class:
                found[code] = DeclineClass(name)
        return found

    def pay_days(self) -> dict[str, tuple[int, ...]]:
        raw = self.raw.get("pay_days", DEFAULT_PAY_DAYS)
        if not isinstance(raw, Mapping):
            self.complain("pay_days", gettext("Enter pay days."))
            return dict(DEFAULT_PAY_DAYS)
        found: dict[str, tuple[int, ...]] = {}
        for name, days in raw.items():
            at, place = f"pay_days.{name}", str(name).strip().upper()
            if place != EVERYWHERE and place not in COUNTRIES:
                self.complain(at, gettext("Name a country by its two letters."))
            elif place in found:
                self.complain(at, gettext("This country stands here twice."))
            elif not isinstance(days, list | tuple) or len(days) > 6 or not all(map(_is_day, days)):
                self.complain(at, gettext("Enter at most 6 days from 1 to 31, or “last”."))
            else:
                found[place] = tuple(dict.fromkeys(days))
        found.setdefault(EVERYWHERE, ())
        return found

    def check_together(self, found: PolicyDefinition) -> None:
        """What is right alone and wrong together."""
        if found.hour_until <= found.hour_from:
            self.complain("hour_until", gettext("The hours must end after they begin."))
        if found.attempts > found.window_days + 1:
            words = gettext("At most one try a day: %(days)d days have room for %(n)d.")
            self.complain("attempts", words % {"days": found.window_days, "n": found.window_days + 1})
        if 0 < found.holdout_percent < LEAST_HOLDOUT:
            words = gettext("Hold out nobody (0) or at least %(n)d %%, else nothing can be learnt.")
            self.complain("holdout_percent", words % {"n": LEAST_HOLDOUT})
        if found.silent_days >= found.duration_days - LAST_NOTICE_DAYS:
            words = gettext("The first notice must come before the last one, %(n)d days before the end.")
            self.complain("silent_days", words % {"n": LAST_NOTICE_DAYS})
        if found.handoff_days >= found.duration_days:
            self.complain("handoff_days", gettext("The hand-over must come before the end."))


def _out_of_range(field: str) -> str:
    """The sentence for a number outside its limits; it says why where the limit is not ours."""
    if field == "attempts":
        return gettext(
            "Card networks allow %(high)d tries of an invoice in 30 days. Enter a number up to that."
        )
    if field == "annual_reminder_days":
        return gettext("The laws that ask for it want it %(low)d to %(high)d days before.")
    return gettext("Enter a number from %(low)d to %(high)d.")


def _is_day(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and (value == LAST_DAY or 1 <= value <= 31)
