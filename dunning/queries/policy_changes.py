"""What differs between two policies, in words, before → after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from cs_platform.lib.formats import money, number
from dunning.policy.classes import CLASS_WORDS, NOTICE_WORDS, ClassRule
from dunning.policy.code_table import DECLINE_RULES
from dunning.policy.definition import EVERYWHERE, LAST_DAY, PolicyDefinition
from dunning.queries.policy_labels import EVERYWHERE_LABEL, LAST_LABEL, PAY_DAYS, SETTINGS, Setting


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: str
    after: str


def changes(before: PolicyDefinition, after: PolicyDefinition, *, currency: str) -> list[Change]:
    """Every setting, class, code and country that differs; `currency` is the report currency."""
    return [
        *_settings(before, after, currency),
        *_rules(before, after),
        *_codes(before, after),
        *_pay_days(before, after),
    ]


def value_words(setting: Setting, value: object, currency: str) -> str:
    """One value of a setting as text."""
    if setting.kind == "choice":
        return str((setting.choices or {}).get(str(value), value))
    if setting.kind == "switch":
        return gettext("yes") if value else gettext("no")
    if setting.kind == "money":
        return gettext("only by hand") if value is None else money(value, currency)
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else number(value)
    return f"{text}\N{NO-BREAK SPACE}{setting.unit}" if text and setting.unit else text or gettext("none")


def rule_words(rule: ClassRule, waits: str = "") -> str:
    """A class's rule on one line; `waits` stands for its wait where it has several."""
    notice = gettext("notice: %(when)s") % {"when": NOTICE_WORDS[rule.notice]}
    if not rule.is_retried:
        return f"{gettext('not retried')}; {notice}"
    hours = ngettext("%(n)s hour", "%(n)s hours", rule.wait_hours)
    wait = waits or hours % {"n": number(rule.wait_hours)}
    values = {"wait": wait, "most": number(rule.most_retries)}
    return f"{gettext('retried after %(wait)s, %(most)s times at most') % values}; {notice}"


def days_words(days: tuple[int, ...]) -> str:
    """Pay days as they are typed: "1, 15, last"."""
    return ", ".join(str(LAST_LABEL) if day == LAST_DAY else str(day) for day in days)


def place_words(place: str) -> str:
    return str(EVERYWHERE_LABEL) if place == EVERYWHERE else place


def _settings(before: PolicyDefinition, after: PolicyDefinition, currency: str) -> Iterator[Change]:
    for name, setting in SETTINGS.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(
                str(setting.label), value_words(setting, old, currency), value_words(setting, new, currency)
            )


def _rules(before: PolicyDefinition, after: PolicyDefinition) -> Iterator[Change]:
    for name, old in before.rules.items():
        if (new := after.rules[name]) != old:
            halves = zip(rule_words(old).split("; "), rule_words(new).split("; "), strict=True)
            told = [(one, other) for one, other in halves if one != other]
            yield Change(
                str(CLASS_WORDS[name]),
                "; ".join(one for one, _ in told),
                "; ".join(other for _, other in told),
            )


def _codes(before: PolicyDefinition, after: PolicyDefinition) -> Iterator[Change]:
    for code in DECLINE_RULES:
        old, new = before.class_of(code), after.class_of(code)
        if old != new:
            yield Change(code, str(CLASS_WORDS[old]), str(CLASS_WORDS[new]))


def _pay_days(before: PolicyDefinition, after: PolicyDefinition) -> Iterator[Change]:
    for place in sorted({*before.pay_days, *after.pay_days}):
        old, new = (days_words(policy.pay_days.get(place, ())) for policy in (before, after))
        if old != new:
            none = gettext("none")
            yield Change(f"{PAY_DAYS}: {place_words(place)}", old or none, new or none)
