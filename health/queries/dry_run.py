"""The dry run: who would begin, what each would get, who is left out and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.models import Account
from health.models import Sequence
from health.queries.sequence_candidates import SKIPPED, find_candidates
from health.queries.sequence_preview import Walk, walks
from health.sequences.definition import SequenceDefinition

PAGE_SIZE, MOST_IN_SHEET, NAMED = 25, 5_000, 12


@dataclass(frozen=True)
class Skip:
    """One reason with the accounts it leaves out; `names` are the first of them."""

    reason: str
    words: Any
    count: int
    names: list[Account]

    @property
    def more(self) -> int:
        return self.count - len(self.names)


@dataclass(frozen=True)
class DryRun:
    """`eligible` accounts in all; those above `cap` would wait for a person; about `held_out` of them stay out."""

    walks: list[Walk]
    eligible: int
    skipped: list[Skip]
    cap: int
    held_out: int
    by_hand: bool
    has_next: bool

    @property
    def over_cap(self) -> int:
        return max(0, self.eligible - self.cap)

    @property
    def left_out(self) -> int:
        return sum(skip.count for skip in self.skipped)


def dry_run(sequence: Sequence, definition: SequenceDefinition, *, now: datetime, page: int = 1) -> DryRun:
    """As if it were published now. A page of ways at a time; a constant number of queries a page."""
    if sequence.began_at is None:
        sequence.began_at = now  # a first publication begins with those who enter from now on
    standing = find_candidates(sequence, definition, now=now)
    begin = (page - 1) * PAGE_SIZE
    shown = [candidate.account_id for candidate in standing.eligible[begin : begin + PAGE_SIZE]]
    return DryRun(
        walks=walks(definition, shown, now=now),
        eligible=len(standing.eligible),
        skipped=_skips(standing.skipped),
        cap=definition.daily_cap,
        held_out=_held_out(definition, len(standing.eligible)),
        by_hand=definition.trigger.on == "hand",
        has_next=len(standing.eligible) > begin + PAGE_SIZE,
    )


def _held_out(definition: SequenceDefinition, eligible: int) -> int:
    return round(eligible * definition.holdout_percent / 100) if definition.trigger.on != "hand" else 0


def _skips(skipped: dict[int, str]) -> list[Skip]:
    counts = Counter(skipped.values())
    chosen: dict[str, list[int]] = {reason: [] for reason in counts}
    for account_id, reason in skipped.items():
        if len(chosen[reason]) < NAMED:
            chosen[reason].append(account_id)
    rows = Account.objects.filter(pk__in=[pk for ids in chosen.values() for pk in ids])
    by_id = {account.pk: account for account in rows}
    return [
        Skip(
            reason,
            SKIPPED[reason],
            count,
            sorted((by_id[pk] for pk in chosen[reason]), key=lambda account: account.name),
        )
        for reason, count in counts.most_common()
    ]


def dry_run_sheet(
    sequence: Sequence, definition: SequenceDefinition, *, now: datetime
) -> tuple[list[str], list[list[Any]]]:
    """Every line of the dry run, those left out included."""
    if sequence.began_at is None:
        sequence.began_at = now
    standing = find_candidates(sequence, definition, now=now)
    headers = [
        gettext("Account"),
        gettext("Step"),
        gettext("When"),
        gettext("What"),
        gettext("Person"),
        gettext("Address"),
        gettext("Subject"),
        gettext("Remark"),
    ]
    ids = [candidate.account_id for candidate in standing.eligible[:MOST_IN_SHEET]]
    lines: list[list[Any]] = []
    for at in range(0, len(ids), 500):
        for walk in walks(definition, ids[at : at + 500], now=now):
            lines += [_sheet_line(walk, line) for line in walk.lines] or [
                [walk.account.name, "", "", gettext("Nothing would happen."), "", "", "", ""]
            ]
    skipped = Account.objects.filter(pk__in=list(standing.skipped)[:MOST_IN_SHEET]).order_by("name")
    lines += [[a.name, "", "", "", "", "", "", str(SKIPPED[standing.skipped[a.pk]])] for a in skipped]
    return headers, lines


def _sheet_line(walk: Walk, line: Any) -> list[Any]:
    preview = line.preview
    when = date_format(timezone.localtime(line.when), "SHORT_DATE_FORMAT")
    return [
        walk.account.name,
        line.number,
        when,
        preview.words,
        preview.person,
        preview.address,
        preview.subject,
        preview.problem,
    ]
