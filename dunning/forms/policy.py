"""The policy editor's form: a definition as texts, from and to a request, mistakes beside their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from cs_platform.lib.money import MAX_MINOR, NotMoney, to_major, to_minor
from dunning.policy.classes import DeclineClass
from dunning.policy.code_table import DECLINE_RULES
from dunning.policy.definition import EVERYWHERE, LAST_DAY, PolicyDefinition
from dunning.policy.parsing import Problem
from dunning.queries.policy_changes import days_words
from dunning.queries.policy_labels import SETTINGS

TYPED = 200  # characters kept of one value
RULE_FIELDS = ("wait_hours", "most_retries", "notice")
LAST_WORDS = frozenset({"last", "말일", "마지막", "-1"})


@dataclass
class PayDayRow:
    """A country (two letters, EVERYWHERE for the rest) and its days as typed."""

    place: str
    days: str
    error: str = ""


@dataclass
class PolicyForm:
    """Everything that the editor shows, as the texts that were typed: nothing is lost.

    `values` by setting and by "rules.<class>.<field>"; `codes` holds the class of every code that may be moved.
    """

    currency: str
    values: dict[str, str]
    codes: dict[str, str]
    pay_days: list[PayDayRow]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_definition(cls, data: Mapping[str, Any], *, currency: str) -> PolicyForm:
        """A stored definition or draft; a draft may hold whatever was typed."""
        full = PolicyDefinition.defaults().to_json() | dict(data)
        values = {name: _text(full[name], setting.kind, currency) for name, setting in SETTINGS.items()}
        for kind in DeclineClass:
            rule = _mapping(full["rules"]).get(kind) or {}
            values[f"rules.{kind}.is_retried"] = "on" if rule.get("is_retried") is True else ""
            values |= {f"rules.{kind}.{name}": str(rule.get(name, "")) for name in RULE_FIELDS}
        chosen = _mapping(full["code_classes"])
        codes = {code: str(chosen.get(code, row.decline_class)) for code, row in DECLINE_RULES.items()}
        days = _mapping(full["pay_days"])
        rows = [
            PayDayRow(place.strip(), _days_text(days[place])) for place in sorted(days, key=_everywhere_last)
        ]
        return cls(currency, values, codes, rows)

    @classmethod
    def of_request(cls, data: QueryDict, *, currency: str) -> PolicyForm:
        values = {name: _typed(data, name) for name in SETTINGS}
        for kind in DeclineClass:
            for name in ("is_retried", *RULE_FIELDS):
                values[f"rules.{kind}.{name}"] = _typed(data, f"rules.{kind}.{name}")
        codes = {
            code: _typed(data, f"code.{code}") or str(row.decline_class)
            for code, row in DECLINE_RULES.items()
        }
        places = zip(data.getlist("pay_place"), data.getlist("pay_days"), strict=False)
        rows = [PayDayRow(_clean(place), _clean(days)) for place, days in places]
        return cls(currency, values, codes, [row for row in rows if row.place or row.days][:50])

    def definition(self) -> dict[str, Any]:
        """JSON for `parse_policy`: numbers where they can be read, else the text that was typed."""
        rules = {
            str(kind): {
                "is_retried": bool(self.values[f"rules.{kind}.is_retried"]),
                **{name: _number(self.values[f"rules.{kind}.{name}"]) for name in RULE_FIELDS},
            }
            for kind in DeclineClass
        }
        moved = {code: name for code, name in self.codes.items() if name != DECLINE_RULES[code].decline_class}
        return {
            **{name: self._value(name) for name in SETTINGS},
            "rules": rules,
            "code_classes": moved,
            "pay_days": {
                key: [_day(part) for part in _parts(row.days)] for key, row in self._places().items()
            },
        }

    def _places(self) -> dict[str, PayDayRow]:
        """The rows by country; one that stands there twice keeps both, told apart by spaces, until it is mended."""
        found: dict[str, PayDayRow] = {}
        for row in self.pay_days:
            key = row.place or "?"
            while key in found:
                key += " "
            found[key] = row
        return found

    def _value(self, name: str) -> Any:
        text, kind = self.values[name], SETTINGS[name].kind
        if kind == "switch":
            return bool(text)
        if kind == "list":
            return [_number(part) for part in _parts(text)]
        if kind == "money":
            return _amount(text, self.currency)
        return text if kind == "choice" else _number(text)

    def show(self, problems: Iterable[Problem]) -> None:
        """Put each problem beside its field."""
        places = self._places()
        for problem in problems:
            head, _dot, rest = problem.field.partition(".")
            if head == "pay_days" and (row := places.get(rest)):
                row.error = problem.message
            self.errors.setdefault(problem.field, problem.message)


def _typed(data: QueryDict, name: str) -> str:
    return _clean(data.get(name, ""))


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()[:TYPED]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _day(text: str) -> Any:
    return LAST_DAY if text.lower() in LAST_WORDS else _number(text)


def _amount(text: str, currency: str) -> Any:
    """Major units as typed into minor units; None for nothing, the text for what is no amount."""
    if not text:
        return None
    try:
        minor = to_minor(text.replace(",", "").replace(" ", ""), currency)
    except NotMoney:
        return text
    return minor if 0 <= minor <= MAX_MINOR else text


def _text(value: Any, kind: str, currency: str) -> str:
    if kind == "switch":
        return "on" if value is True else ""
    if kind == "list":
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if kind == "money":
        if value is None:
            return ""
        return f"{to_major(value, currency).normalize():f}" if isinstance(value, int) else str(value)
    return str(value)


def _days_text(days: Any) -> str:
    if not isinstance(days, list):
        return str(days)
    whole = all(isinstance(day, int) for day in days)
    return days_words(tuple(days)) if whole else ", ".join(str(day) for day in days)


def _everywhere_last(place: str) -> tuple[bool, str]:
    return place == EVERYWHERE, place
