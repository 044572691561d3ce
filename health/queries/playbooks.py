"""The pages of playbooks: the list with its numbers, one playbook with its runs, one run with its steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from health.models import (
    OPEN_STATES,
    Assignment,
    PauseReason,
    RunState,
    Sequence,
    SequenceKind,
    SequenceRun,
    SequenceVersion,
    StepRun,
)
from health.queries.experiments import HeldOut, held_out_of
from health.queries.keyset import Column, Order, Page, page_of
from health.queries.playbook_results import PlaybookResult, playbook_results
from health.queries.sequence_candidates import SUBJECT
from health.queries.sequence_words import WHY, end_words, segment_names, step_in_words, trigger_words
from health.sequences.definition import SequenceDefinition
from health.sequences.parsing import kind_of

PAGE_SIZE = 50
RUNS_READ, RUNS_SHOWN = 40, 12
ORDER = Order("latest", (Column("pk", descending=True),))


@dataclass(frozen=True, slots=True)
class PlaybookRow:
    """One playbook of the list."""

    sequence: Sequence
    trigger: str
    version: int | None
    has_draft: bool
    running: int
    finished: int
    left: int
    failed: int
    held_out: int
    causes: tuple[str, ...] = ()
    result: PlaybookResult | None = None

    @property
    def status(self) -> str:
        return str(status_label(self.sequence, self.version))


def status_label(sequence: Sequence, version: int | None) -> Any:
    if sequence.archived_at:
        return _("Put away")
    if version is None:
        return _("Draft")
    if sequence.paused_at:
        return PauseReason(sequence.pause_reason).label
    return _("On")


def playbook_rows(*, kind: str = SequenceKind.PLAYBOOK) -> list[PlaybookRow]:
    """Every playbook that is not put away, with its numbers; a constant number of queries."""
    versions = SequenceVersion.objects.filter(sequence=OuterRef("pk"))
    live = versions.filter(published_at__isnull=False).order_by("-number")
    drafts = versions.filter(published_at__isnull=True)
    runs = Count("runs", filter=Q(runs__state__in=OPEN_STATES))
    rows = (
        Sequence.objects.filter(kind=kind, archived_at__isnull=True)
        .annotate(
            live_number=Subquery(live.values("number")[:1]),
            live_definition=Subquery(live.values("definition")[:1]),
            draft_definition=Subquery(drafts.values("definition")[:1]),
            running=runs,
            finished=Count("runs", filter=Q(runs__state=RunState.DONE)),
            left_early=Count("runs", filter=Q(runs__state=RunState.EXITED)),
            failed=Count("runs", filter=Q(runs__state=RunState.FAILED)),
        )
        .order_by("name", "pk")
    )
    held, names, found = held_counts(), segment_names(), playbook_results()
    return [_row(sequence, held, names, found.get(sequence.pk)) for sequence in rows]


def _row(
    sequence: Any, held: dict[int, int], names: dict[str, str], result: PlaybookResult | None
) -> PlaybookRow:
    raw = sequence.live_definition or sequence.draft_definition or {}
    trigger = raw.get("trigger") or {"on": "hand"}
    words = trigger_words(SequenceDefinition.of_json({"trigger": trigger, "steps": []}), names)
    return PlaybookRow(
        sequence=sequence,
        trigger=words,
        version=sequence.live_number,
        has_draft=sequence.draft_definition is not None,
        running=sequence.running,
        finished=sequence.finished,
        left=sequence.left_early,
        failed=sequence.failed,
        held_out=held.get(sequence.pk, 0),
        causes=tuple(trigger.get("causes", ())),
        result=result,
    )


def held_counts() -> dict[int, int]:
    """How many accounts were ever held out, by sequence."""
    rows = Assignment.objects.filter(experiment__subject_type=SUBJECT, variant__is_holdout=True)
    counted = rows.order_by().values_list("experiment__subject_id").annotate(n=Count("pk"))
    return dict(counted)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in a list: where it stands, in words."""

    run: SequenceRun
    stands: str


def run_rows(
    sequence: Sequence, *, state: str = "", after: str = "", before: str = ""
) -> tuple[list[RunRow], Page]:
    """One page of runs, the newest first; `state` "open", "done", "exited", "failed" or all."""
    rows = SequenceRun.objects.filter(sequence=sequence)
    if state == "open":
        rows = rows.filter(state__in=OPEN_STATES)
    elif state in RunState.values:
        rows = rows.filter(state=state)
    rows = rows.select_related("account", "version", "contact", "started_by")
    page = page_of(rows, ORDER, after=after, before=before, size=PAGE_SIZE)
    return [RunRow(run, stands(run)) for run in page.rows], page


def run_counts(sequence: Sequence) -> dict[str, int]:
    """Runs by state; "open" are those that are not over."""
    rows = SequenceRun.objects.filter(sequence=sequence).order_by().values_list("state")
    found = dict(rows.annotate(n=Count("pk")))
    counts = {state: found.get(state, 0) for state in ("done", "exited", "failed")}
    return {"open": sum(found.get(state, 0) for state in OPEN_STATES), **counts}


def stands(run: SequenceRun) -> str:
    """Where a run is: its step, or how it ended."""
    if run.state in (RunState.DONE, RunState.EXITED):
        return end_words(run.end_reason)
    step = run.version.definition["steps"][run.position]
    kind = kind_of(step["kind"])
    names = {"n": run.position + 1, "label": kind.label if kind else step["kind"]}
    return gettext("Step %(n)d: %(label)s") % names


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of a run: done, waiting or still to come."""

    number: int
    label: str
    icon: str
    words: str
    state: str
    note: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    email: Any = None
    queue_item: Any = None


def run_history(run: SequenceRun) -> list[StepLine]:
    """What the run did, in its order, and the step it stands at."""
    definition = SequenceDefinition.of_json(run.version.definition)
    rows = StepRun.objects.filter(run=run).select_related("email__text_version__text", "queue_item")
    lines, at = [], None
    for row in rows.order_by("pk"):
        words = step_in_words(definition, row.position)
        at = row.position if row.state in ("waiting", "failed") else at
        lines.append(
            StepLine(
                words.number,
                words.label,
                words.icon,
                words.words,
                row.state,
                _note(row),
                row.began_at,
                row.ended_at,
                row.email,
                row.queue_item,
            )
        )
    if run.state in OPEN_STATES and at is None:
        words = step_in_words(definition, run.position)
        lines.append(StepLine(words.number, words.label, words.icon, words.words, "due"))
    return lines


def _note(row: StepRun) -> str:
    result = row.result
    if "why" in result:
        return str(WHY.get(result["why"], end_words(result["why"])))
    if "error" in result:
        return gettext("It failed (%(code)s) and is tried again.") % {"code": result["error"]}
    if result.get("timed_out"):
        return gettext("The time was up.")
    if "matched" in result:
        return gettext("It matched.") if result["matched"] else gettext("It did not match.")
    return ""


@dataclass(frozen=True, slots=True)
class AccountPlaybooks:
    """What the account page shows."""

    open_runs: list[RunRow]
    past_runs: list[RunRow]
    held: tuple[HeldOut, ...]


def latest_runs(account: Account) -> list[SequenceRun]:
    """The account's newest runs for all parts of its page; read once."""
    kept: list[SequenceRun] | None = account.__dict__.get("_latest_runs")
    if kept is None:
        rows = SequenceRun.objects.filter(account=account).order_by("-pk")
        everybody = ("sequence", "version", "contact", "started_by", "ended_by")
        kept = account.__dict__["_latest_runs"] = list(rows.select_related(*everybody)[:RUNS_READ])
    return kept


def account_playbooks(account: Account, now: datetime) -> dict[str, AccountPlaybooks]:
    found = [RunRow(run, stands(run)) for run in latest_runs(account)[:RUNS_SHOWN]]
    marks = held_out_of(account)
    return {
        "playbooks": AccountPlaybooks(
            open_runs=[row for row in found if row.run.state in OPEN_STATES],
            past_runs=[row for row in found if row.run.state not in OPEN_STATES][:5],
            held=tuple(mark for mark in marks if mark.subject_type == SUBJECT),
        )
    }
