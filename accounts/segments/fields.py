"""What can be asked of an account: fields, their kinds, and the comparisons of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cs_platform.lib.periods import day_start, local_day

Words = str | Promise


class FieldKind(StrEnum):
    """NUMBER and MONEY compare as numbers (money in minor units of the report currency); CHOICE is one of a
    list; BOOLEAN is yes or no; DATE is a local day of the workspace."""

    NUMBER = "number"
    MONEY = "money"
    CHOICE = "choice"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"


class Form(StrEnum):
    """What the value of a comparison looks like."""

    NOTHING = "nothing"
    NUMBER = "number"
    PAIR = "pair"
    LIST = "list"
    WORDS = "words"
    DAYS = "days"
    DAY = "day"


@dataclass(frozen=True)
class Operator:
    """`label` stands between field and value; `sentence` is all three as people say it."""

    name: str
    form: Form
    label: Words
    sentence: Words


NUMBERS = (
    Operator("gte", Form.NUMBER, _("is at least"), _("%(field)s is at least %(value)s")),
    Operator("lte", Form.NUMBER, _("is at most"), _("%(field)s is at most %(value)s")),
    Operator("gt", Form.NUMBER, _("is more than"), _("%(field)s is more than %(value)s")),
    Operator("lt", Form.NUMBER, _("is less than"), _("%(field)s is less than %(value)s")),
    Operator("eq", Form.NUMBER, _("is exactly"), _("%(field)s is exactly %(value)s")),
    Operator("between", Form.PAIR, _("is between"), _("%(field)s is between %(low)s and %(high)s")),
)
LISTS = (
    Operator("any_of", Form.LIST, _("is any of"), _("%(field)s is %(value)s")),
    Operator("none_of", Form.LIST, _("is none of"), _("%(field)s is not %(value)s")),
)
TEXTS = (
    *LISTS,
    Operator("contains", Form.WORDS, _("contains"), _("%(field)s contains “%(value)s”")),
    Operator("not_contains", Form.WORDS, _("does not contain"), _("%(field)s does not contain “%(value)s”")),
)
DATES = (
    Operator(
        "next_days",
        Form.DAYS,
        _("is within the next … days"),
        _("%(field)s is within the next %(value)s days"),
    ),
    Operator(
        "past_days",
        Form.DAYS,
        _("was within the last … days"),
        _("%(field)s was within the last %(value)s days"),
    ),
    Operator(
        "more_days_ago",
        Form.DAYS,
        _("was more than … days ago"),
        _("%(field)s was more than %(value)s days ago"),
    ),
    Operator(
        "more_days_ahead",
        Form.DAYS,
        _("is more than … days ahead"),
        _("%(field)s is more than %(value)s days ahead"),
    ),
    Operator("before", Form.DAY, _("is before"), _("%(field)s is before %(value)s")),
    Operator("from", Form.DAY, _("is on or after"), _("%(field)s is on or after %(value)s")),
)
YES_NO = (
    Operator("yes", Form.NOTHING, _("is yes"), _("%(field)s: yes")),
    Operator("no", Form.NOTHING, _("is no"), _("%(field)s: no")),
)
PRESENCE = (
    Operator("set", Form.NOTHING, _("is known"), _("%(field)s is known")),
    Operator("empty", Form.NOTHING, _("is not known"), _("%(field)s is not known")),
)
OPERATORS: dict[FieldKind, tuple[Operator, ...]] = {
    FieldKind.NUMBER: NUMBERS,
    FieldKind.MONEY: NUMBERS,
    FieldKind.CHOICE: LISTS,
    FieldKind.TEXT: TEXTS,
    FieldKind.BOOLEAN: YES_NO,
    FieldKind.DATE: DATES,
}
# Comparisons that hold where the positive one does not, also for accounts without any value.
NEGATIONS = {"none_of": "any_of", "not_contains": "contains", "empty": "set"}


@dataclass(frozen=True)
class Moment:
    """The time a rule is asked at. Days are the workspace's local days."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return local_day(self.now, self.zone)

    def starts(self, day: date) -> datetime:
        """The day's first local instant."""
        return day_start(day, self.zone)


@dataclass(frozen=True)
class SegmentField:
    """One thing that rules ask of an account.

    `column` is an ORM path from Account or, with `rows`, from a row of that queryset, which has
    `account_id`; an account may have no row, one, or several (then any of them may match).
    Comparisons with nothing never hold, their negations do.
    A BOOLEAN with `rows` says whether there is a row at all, unless it is `optional`.
    `choices` returns (value, label); `is_closed`: nothing else can be a value.
    `optional` offers "is known" / "is not known" (of texts, "" is not known).
    `scale`: the column holds the typed number times this. `stored_as` of a DATE: "datetime", "date" or
    "epoch_days". `from_score`: moves with the health score, so no scorecard may depend on it.
    `about`: "segments" marks the membership itself, which a segment's own rule may not ask for.
    """

    name: str
    label: Words
    group: Words
    kind: FieldKind
    column: str
    rows: Callable[[Moment], Any] | None = None
    choices: Callable[[], list[tuple[str, str]]] | None = None
    is_closed: bool = False
    optional: bool = True
    unit: Words = ""
    help: Words = ""
    scale: float = 1
    stored_as: str = "datetime"
    from_score: bool = False
    about: str = ""

    def __post_init__(self) -> None:
        FieldKind(self.kind)
        if not self.name or not self.column:
            raise ValueError(f"segment field {self.name!r} needs a name and a column")
        if self.kind == FieldKind.CHOICE and self.choices is None:
            raise ValueError(f"segment field {self.name!r} is a choice without choices")
        if self.stored_as not in ("datetime", "date", "epoch_days"):
            raise ValueError(f"segment field {self.name!r}: unknown way of storing a date {self.stored_as!r}")

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.kind] + (PRESENCE if self.optional else ())

    def operator(self, name: str) -> Operator | None:
        return next((operator for operator in self.operators if operator.name == name), None)


@dataclass(frozen=True)
class SegmentFieldFamily:
    """Fields that depend on the workspace's own rows, all named `<name>:<key>`; `expand` runs in its scope."""

    name: str
    expand: Callable[[], list[SegmentField]]


def days_between(op: str, value: Any, today: date) -> tuple[date | None, date | None]:
    """The half-open range of local days that a date comparison means; None = without an end."""
    if op == "before":
        return None, date.fromisoformat(value)
    if op == "from":
        return date.fromisoformat(value), None
    ahead, back = today + timedelta(days=int(value)), today - timedelta(days=int(value))
    tomorrow = timedelta(days=1)
    ranges = {
        "next_days": (today, ahead + tomorrow),
        "past_days": (back, today + tomorrow),
        "more_days_ago": (None, back),
        "more_days_ahead": (ahead + tomorrow, None),
    }
    return ranges[op]
