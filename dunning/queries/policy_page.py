"""The policy editor's page as rows: fields beside their defaults, classes, codes with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext

from cs_platform.lib.money import NotMoney, to_minor
from dunning.policy.classes import (
    ACTOR_WORDS,
    ACTORS,
    CLASS_WORDS,
    CUSTOMER_WORDS,
    NEVER_RETRIED,
    NOTICE_WORDS,
    ClassRule,
    DeclineClass,
    NoticeRule,
)
from dunning.policy.code_table import (
    DECLINE_RULES,
    SOURCE_LINKS,
    SOURCE_WORDS,
    DeclineRule,
)
from dunning.policy.definition import PolicyDefinition
from dunning.queries.policy_changes import days_words, place_words, rule_words, value_words
from dunning.queries.policy_labels import PAY_DAYS, SECTIONS, SETTINGS, Section, Setting, Words

DEFAULTS = PolicyDefinition.defaults()


class Typed(Protocol):
    """What the page needs of the editor's form."""

    values: dict[str, str]
    codes: dict[str, str]
    errors: dict[str, str]
    currency: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `usual` is the default in words; `is_changed` where the value is another."""

    setting: Setting
    value: str
    error: str
    usual: str
    is_changed: bool
    choices: tuple[tuple[str, Words], ...] = ()

    @property
    def name(self) -> str:
        return self.setting.name


@dataclass(frozen=True, slots=True)
class SectionRows:
    section: Section
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of refusals with its inputs as typed."""

    name: DeclineClass
    label: Promise
    actor: Promise
    words: Promise
    is_retried: bool
    is_fixed: bool
    wait_hours: str
    most_retries: str
    notice: str
    usual: str
    is_changed: bool
    errors: tuple[str, ...]
    codes: int

    @property
    def has_own_waits(self) -> bool:
        """Technical errors wait by the list of hours above, not by one number."""
        return self.name is DeclineClass.SOFT_TECHNICAL


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code; `usual` is its class in the table, `is_changed` where another one is chosen."""

    rule: DeclineRule
    chosen: str
    label: str
    usual: str
    is_changed: bool
    acts: str
    to_customer: Promise
    source: Promise
    link: str
    checked_on: date
    error: str


def sections(form: Typed) -> list[SectionRows]:
    """All settings but pay days, classes and codes."""
    return [
        SectionRows(section, tuple(_field(setting, form) for setting in section.settings))
        for section in SECTIONS
    ]


def class_rows(form: Typed) -> list[ClassRow]:
    return [_class_row(kind, form) for kind in DeclineClass]


def code_rows(form: Typed) -> list[CodeRow]:
    """Every code, by class and name, with what happens under the rules as typed."""
    order = {str(kind): at for at, kind in enumerate(DeclineClass)}
    rules = sorted(DECLINE_RULES.values(), key=lambda rule: (order[rule.decline_class], rule.code))
    return [_code_row(rule, form) for rule in rules]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake with the label of its field."""

    label: str
    message: str


def mistakes(form: Typed) -> list[Mistake]:
    """All mistakes, each by what its field is called on the page."""
    return [Mistake(_label_of(name), message) for name, message in form.errors.items()]


def _label_of(name: str) -> str:
    head, _dot, rest = name.partition(".")
    if head in SETTINGS:
        return str(SETTINGS[head].label)
    if head == "pay_days":
        return f"{PAY_DAYS}: {place_words(rest)}"
    kind = rest.partition(".")[0]
    if head == "rules" and kind in set(DeclineClass):
        return str(CLASS_WORDS[DeclineClass(kind)])
    return rest or head


def class_choices() -> list[tuple[str, Promise]]:
    return [(str(kind), label) for kind, label in CLASS_WORDS.items()]


def notice_choices() -> list[tuple[str, Promise]]:
    return [(str(rule), label) for rule, label in NOTICE_WORDS.items()]


def _field(setting: Setting, form: Typed) -> Field:
    value, usual = form.values[setting.name], getattr(DEFAULTS, setting.name)
    choices = tuple((str(key), words) for key, words in (setting.choices or {}).items())
    return Field(
        setting,
        value,
        form.errors.get(setting.name, ""),
        usual=value_words(setting, usual, form.currency),
        is_changed=not _is_usual(setting, value, usual, form),
        choices=choices,
    )


def _is_usual(setting: Setting, value: str, usual: object, form: Typed) -> bool:
    if setting.kind == "switch":
        return bool(value) == usual
    if setting.kind == "list":
        return [part.strip() for part in value.split(",") if part.strip()] == [str(n) for n in _tuple(usual)]
    if setting.kind == "money":
        return value_words(setting, usual, form.currency) == _shown_amount(setting, value, form.currency)
    return value == str(usual)


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _shown_amount(setting: Setting, value: str, currency: str) -> str:
    if not value:
        return value_words(setting, None, currency)
    try:
        return value_words(setting, to_minor(value.replace(",", ""), currency), currency)
    except NotMoney:
        return value


def _class_row(kind: DeclineClass, form: Typed) -> ClassRow:
    at, rule = f"rules.{kind}", DEFAULTS.rules[kind]
    typed = {name: form.values[f"{at}.{name}"] for name in ("wait_hours", "most_retries", "notice")}
    is_retried = bool(form.values[f"{at}.is_retried"])
    wanted = {"wait_hours": str(rule.wait_hours), "most_retries": str(rule.most_retries)}
    is_usual = is_retried == rule.is_retried and typed == {**wanted, "notice": str(rule.notice)}
    errors = (text for name, text in form.errors.items() if name.startswith(f"{at}."))
    return ClassRow(
        name=kind,
        label=CLASS_WORDS[kind],
        actor=ACTOR_WORDS[ACTORS[kind]],
        words=CUSTOMER_WORDS[kind],
        is_retried=is_retried,
        is_fixed=kind in NEVER_RETRIED,
        **typed,
        usual=rule_words(rule, _technical_waits(kind)),
        is_changed=not is_usual,
        errors=tuple(dict.fromkeys(errors)),
        codes=sum(chosen == kind for chosen in form.codes.values()),
    )


def _technical_waits(kind: DeclineClass) -> str:
    """The default waits of technical errors, which have several; "" for the other classes."""
    if kind is not DeclineClass.SOFT_TECHNICAL:
        return ""
    return gettext("%(n)s hours") % {"n": ", ".join(map(str, DEFAULTS.technical_wait_hours))}


def pay_days_usual() -> str:
    """The default pay days in words."""
    pairs = (f"{place_words(place)}: {days_words(days)}" for place, days in DEFAULTS.pay_days.items())
    return "; ".join(pairs)


def _code_row(rule: DeclineRule, form: Typed) -> CodeRow:
    chosen = form.codes[rule.code]
    is_usual = chosen == rule.decline_class
    known = DeclineClass(chosen) if chosen in set(DeclineClass) else rule.decline_class
    return CodeRow(
        rule=rule,
        chosen=chosen,
        label=str(CLASS_WORDS[known]),
        usual=str(CLASS_WORDS[rule.decline_class]),
        is_changed=not is_usual,
        acts=_acts(rule, chosen, form),
        to_customer=rule.to_customer if is_usual else CUSTOMER_WORDS[known],
        source=SOURCE_WORDS[rule.source],
        link=SOURCE_LINKS.get(rule.source, ""),
        checked_on=rule.checked_on,
        error=form.errors.get(f"code_classes.{rule.code}", ""),
    )


def _acts(rule: DeclineRule, chosen: str, form: Typed) -> str:
    """What a code leads to: its own rule, or what is typed for its class."""
    if rule.own_rule is not None and chosen == rule.decline_class:
        return rule_words(rule.own_rule)
    at = f"rules.{chosen}"
    try:
        typed = ClassRule(
            is_retried=bool(form.values[f"{at}.is_retried"]),
            wait_hours=int(form.values[f"{at}.wait_hours"]),
            notice=NoticeRule(form.values[f"{at}.notice"]),
            most_retries=int(form.values[f"{at}.most_retries"]),
        )
    except (KeyError, ValueError):
        return ""
    waits = form.values["technical_wait_hours"] if chosen == DeclineClass.SOFT_TECHNICAL else ""
    return rule_words(typed, waits and gettext("%(n)s hours") % {"n": waits})
