"""Causes in words: what an open item says to the person who reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from health.models import QueueItem, RiskRule, Severity
from health.registry import QueueSource, queue_sources
from health.risks import RiskRuleSpec, risk_rules

RISK = "risk:"


@dataclass(frozen=True, slots=True)
class Cause:
    """An open item: its name, the sentence with its numbers, and since when it is open."""

    source: str
    label: str
    sentence: str
    severity: int
    opened_on: date
    chip: str = ""  # its name beside others, a few words
    advice: str = ""  # what to do in the item's own words; a risk rule's are the workspace's

    @property
    def tone(self) -> str:
        """Red for the severe, amber for the rest of what is serious; the word is always beside it."""
        return {Severity.HIGH: "red", Severity.MEDIUM: "amber"}.get(Severity(self.severity), "")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a cause, by the workspace's own words or the rule's default ones."""

    cause: Cause
    instruction: str


def rule_of(source: str) -> RiskRuleSpec | None:
    if not source.startswith(RISK):
        return None
    name = source.removeprefix(RISK)
    return risk_rules.get(name) if name in risk_rules else None


def source_of(source: str) -> QueueSource | None:
    """The registered source of an item that no risk rule opened."""
    name = source.partition(":")[0]
    return queue_sources.get(name) if name in queue_sources else None


def spoken_for(sources: Iterable[str]) -> set[str]:
    """Sources of risks that another of these open sources of one account says more exactly."""
    found = (source_of(source) for source in sources if not source.startswith(RISK))
    return {RISK + known.speaks_for for known in found if known is not None and known.speaks_for}


def cause_label(source: str) -> str:
    """The name of a cause; a source that nobody registered is shown by its own words."""
    if known := rule_of(source) or source_of(source):
        return str(known.label)
    return source.rpartition(":")[2].replace("_", " ").capitalize()


def cause_labels(sources: Iterable[str]) -> dict[str, str]:
    """Names that tell the sources of one kind apart, for filters; one query per kind at most."""
    found, by_kind = {}, dict[str, list[str]]()
    for source in sources:
        found[source] = cause_label(source)
        if rule_of(source) is None and source_of(source):
            by_kind.setdefault(source.partition(":")[0], []).append(source)
    for kind, mine in by_kind.items():
        found |= {source: label for source, label in queue_sources.get(kind).labels(mine).items() if label}
    return found


def _sentence(rule: RiskRuleSpec | None, known: QueueSource | None, evidence: Mapping[str, Any]) -> str:
    """ "" where nobody knows the source, or the evidence lacks a number."""
    if rule is None:
        return known.sentence(evidence) if known else ""
    complete = all(evidence.get(name) is not None for name in rule.evidence)
    return rule.sentence(evidence) if complete else ""


def cause_of(source: str, evidence: Mapping[str, Any], severity: int, opened_on: date) -> Cause:
    """An open item in words, in the language in force."""
    rule = rule_of(source)
    known = None if rule else source_of(source)
    label = str(rule.label) if rule else cause_label(source)
    sentence = _sentence(rule, known, evidence) or label
    if known is None:
        return Cause(source, label, sentence, severity, opened_on, label)
    chip = known.chip(evidence) or label
    return Cause(source, label, sentence, severity, opened_on, chip, known.instruction(evidence))


def describe_items(items: Iterable[QueueItem]) -> tuple[Cause, ...]:
    return tuple(cause_of(item.source, item.evidence, item.severity, item.opened_on) for item in items)


def advice_for(causes: Iterable[Cause], stored: Mapping[str, str] | None = None) -> list[Advice]:
    """What to do about each cause, in their order; `stored` are the workspace's own words by rule, else one query."""
    if stored is None:
        stored = dict(RiskRule.objects.values_list("cause", "instruction"))
    return [Advice(cause, cause.advice or _instruction(cause.source, stored)) for cause in causes]


def _instruction(source: str, stored: Mapping[str, str]) -> str:
    rule = rule_of(source)
    own = stored.get(source.removeprefix(RISK), "")
    return own or (str(rule.instruction) if rule else "")
