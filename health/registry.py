"""What higher apps fill in: named numbers per account and day, and where they are read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cs_platform.lib.registry import Registry, UnknownName
from health.sequences.spec import SequenceAction

Words = str | Promise


class Unit(StrEnum):
    """How a value is written. Percentages are stored as they read: 42.0 is 42 %. Money is in minor
    units of the workspace's report currency."""

    COUNT = "count"
    DAYS = "days"
    PERCENT = "percent"
    MONEY = "money"
    SCORE = "score"
    YES_NO = "yes_no"
    NUMBER = "number"


class MetricGroup(StrEnum):
    USAGE = "usage"
    BILLING = "billing"
    SUPPORT = "support"
    RELATIONSHIP = "relationship"
    TRAITS = "traits"


GROUP_LABELS: dict[str, Words] = {
    MetricGroup.USAGE: _("Usage"),
    MetricGroup.BILLING: _("Subscription and payment"),
    MetricGroup.SUPPORT: _("Support"),
    MetricGroup.RELATIONSHIP: _("Relationship"),
    MetricGroup.TRAITS: _("Traits"),
}


class Reading(Protocol):
    """What a source's SQL may use: one moment, one share of the accounts (see `health/metrics/reading.py`)."""

    def mine(self, table: str = "", column: str = "account_id") -> str: ...
    def day(self, back: int = 0) -> str: ...
    def instant(self, back: int = 0) -> str: ...
    def bind(self, value: Any) -> str: ...


@dataclass(frozen=True)
class MetricSource:
    """A sub-select with at most one row per `account_id`, over facts known before the reading's moment."""

    name: str
    select: Callable[[Any], str]


@dataclass(frozen=True)
class Metric:
    """A named number per account and day; `sql` is an expression over the columns `<source>.<column>`.

    NULL means "no data" and is never the same as 0. `better` is the direction that is good news.
    `behavioural`: says what the customer does; `in_model`: offered to churn models; `at_once`: risks and the queue
    follow it within the day (`health/services/at_once.py`).
    """

    name: str
    label: Words
    description: Words
    unit: Unit
    group: MetricGroup
    sql: str
    sources: tuple[str, ...]
    formula: str
    better: str = "up"
    behavioural: bool = False
    in_model: bool = True
    decimals: int = 0
    at_once: bool = False

    def __post_init__(self) -> None:
        if not self.name or not self.formula or not self.sql:
            raise ValueError(f"metric {self.name!r} needs a name, a formula and an expression")
        if self.better not in ("up", "down", "neither"):
            raise ValueError(f"metric {self.name!r}: better is up, down or neither, not {self.better!r}")
        Unit(self.unit), MetricGroup(self.group)
        for source in self.sources:
            if source not in metric_sources:
                raise UnknownName(f"metric {self.name!r} reads the unknown source {source!r}")


@dataclass(frozen=True)
class MetricFamily:
    """Metrics that depend on the workspace's own rows (`feature:<name>`); `expand` runs in its scope."""

    name: str
    expand: Callable[[], list[Metric]]


metric_sources: Registry[MetricSource] = Registry("metric source", MetricSource)
metrics: Registry[Metric] = Registry("metric", Metric)
metric_families: Registry[MetricFamily] = Registry("metric family", MetricFamily)


@dataclass(frozen=True)
class SimulatorPart:
    """A share of a simulated business: `write(target)` writes it in the running scope, returns the rows.

    `target` is `health.services.simulation.identities.Target`; import what is heavy inside of `write`.
    """

    name: str
    write: Callable[[Any], int]


simulator_parts: Registry[SimulatorPart] = Registry("simulator part", SimulatorPart)


@dataclass(frozen=True)
class DemoPart:
    """What an app above adds to the demo workspace once its year is written; killed or not, `write` may come again.

    `write(workspace, now, say)` opens its own scopes; `say` takes a line for the terminal.
    """

    name: str
    write: Callable[[Any, Any, Callable[[str], None]], None]


demo_parts: Registry[DemoPart] = Registry("demo part", DemoPart)


# Kinds of messages that everybody gets who is due one: an experiment may not hold anyone out of them.
NEVER_HELD_OUT: dict[str, Words] = {
    "legal": _("legal notices"),
    "transactional": _("receipts, sign-in and answers to what the person just did"),
    "dunning_first": _("the first notice of a failed payment"),
    "dunning_last": _("the last notice of a failed payment"),
}


@dataclass(frozen=True)
class SubjectWords:
    """What an experiment tests, for people: its name and, where it has one, its page."""

    name: str
    url: str = ""


@dataclass(frozen=True)
class ExperimentSubject:
    """A kind of thing that accounts may be held out of, such as a sequence.

    `duties(subject_id)` names what the subject sends that nobody may be kept from (keys of NEVER_HELD_OUT);
    a kind that sends only such messages says so in `sends` and is refused here. `describe` raises nothing:
    a subject that is gone has its last known name.
    """

    name: str
    label: Words
    describe: Callable[[int], SubjectWords]
    duties: Callable[[int], Iterable[str]]
    sends: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if kept := sorted(self.sends & set(NEVER_HELD_OUT)):
            raise ValueError(f"experiment subject {self.name!r}: nobody is held out of {', '.join(kept)}")


experiment_subjects: Registry[ExperimentSubject] = Registry("experiment subject", ExperimentSubject)


@dataclass(frozen=True)
class QueueSource:
    """Open items whose source begins with `<name>:`. `sentence(evidence)` says what is open,
    `instruction(evidence)` what to do; `labels(sources)` gives each source the short name that filters show,
    in one query for all of them (`label` stands in for an empty one). `chip(evidence)` is its name in a list beside
    others, a few words (default: `label`). `speaks_for` names the risk rule that says
    the same less exactly: where both are open, the rule's is not shown beside it."""

    name: str
    label: Words
    sentence: Callable[[Any], str]
    instruction: Callable[[Any], str]
    labels: Callable[[list[str]], dict[str, str]] = field(default=lambda sources: {})
    chip: Callable[[Any], str] = field(default=lambda evidence: "")
    speaks_for: str = ""


@dataclass(frozen=True)
class SequenceDate:
    """A date of accounts that sequences may wait for. `find(account_ids)` returns instants by account; accounts
    without it are absent."""

    name: str
    label: Words
    find: Callable[[list[int]], dict[int, Any]]


@dataclass(frozen=True)
class RunLock:
    """What is locked before a run of a kind of sequence (`name`), by the app that moves these runs with its own
    rows: `take(account_id)` in the running transaction. So that both lock in one order."""

    name: str
    take: Callable[[int], None]


@dataclass(frozen=True)
class AnswerSource:
    """Says which accounts were heard from since a moment: `answered({key: (account id, moment)})` returns keys."""

    name: str
    answered: Callable[[dict[int, tuple[int, Any]]], set[int]]


sequence_dates: Registry[SequenceDate] = Registry("sequence date", SequenceDate)
sequence_actions: Registry[SequenceAction] = Registry("sequence action", SequenceAction)
run_locks: Registry[RunLock] = Registry("run lock", RunLock)
queue_sources: Registry[QueueSource] = Registry("queue source", QueueSource)
answer_sources: Registry[AnswerSource] = Registry("answer source", AnswerSource)
