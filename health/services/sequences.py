"""Begin runs: one by one by a motion or a person, many at once by the night.

Everything that begins a run goes through the lock of its sequence: open runs, the daily cap and the draw of
held-out accounts are asked under it, in the transaction that writes the run and its job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Account, Contact, User, Workspace
from accounts.services import versions
from accounts.services.audit import audit
from cs_platform.lib.periods import day_start, local_day
from cs_platform.lib.scoping import current_workspace_id
from health.models import PauseReason, Sequence, SequenceRun, SequenceVersion
from health.queries.sequence_candidates import HARD, Candidate, find_candidates, refusals
from health.sequences.definition import SequenceDefinition
from health.services.sequence_holdout import leave_out_of_test, without_held_out
from health.services.sequence_notices import tell_of_pause
from health.services.sequence_runs import begin_run, exit_run

__all__ = ["Enrolled", "enrol", "enrol_due", "exit_run", "runs_left_today"]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What one round did. `waiting`: eligible accounts that the cap kept out."""

    begun: int = 0
    held_out: int = 0
    waiting: int = 0


@transaction.atomic
def enrol(
    *,
    sequence: Sequence,
    account: Account,
    source: str,
    contact: Contact | None = None,
    acting_user: User | None,
    now: datetime,
) -> SequenceRun | None:
    """Begin a run for one account, once per source; None when it may not begin.

    A person (`acting_user`) may overrule audience and pauses between runs, never an open run, a let-go
    account, the cap or a holdout; the account then takes no part in the comparison.
    """
    locked = _locked(sequence)
    version = versions.newest_published(SequenceVersion, locked)
    if version is None or locked.paused_at or locked.archived_at:
        return None
    if SequenceRun.objects.filter(sequence=locked, source=source).exists():
        return None
    definition = SequenceDefinition.of_json(version.definition)
    candidate = Candidate(account.pk, source)
    reason = refusals(locked, definition, [candidate], now=now).get(account.pk, "")
    if reason and (acting_user is None or reason in HARD):
        return None
    if runs_left_today(locked, definition, now=now) < 1:
        _pause_by_cap(locked, 1, now)
        return None
    if acting_user is not None:
        leave_out_of_test(locked, account.pk, now=now)
    elif account.pk not in without_held_out(locked, [account.pk], now=now):
        return None
    run = begin_run(
        version=version,
        account_id=account.pk,
        source=source,
        contact=contact,
        acting_user=acting_user,
        now=now,
    )
    audit("health.sequence.run_begun", acting_user=acting_user, target=run, sequence=locked.pk)
    return run


@transaction.atomic
def enrol_due(sequence: Sequence, *, now: datetime) -> Enrolled:
    """Begin with everybody at the door, up to the daily cap; over it the sequence pauses and tells."""
    locked = _locked(sequence)
    version = versions.newest_published(SequenceVersion, locked)
    if version is None or locked.paused_at or locked.archived_at:
        return Enrolled()
    definition = SequenceDefinition.of_json(version.definition)
    eligible = find_candidates(locked, definition, now=now).eligible
    left = runs_left_today(locked, definition, now=now)
    taken = eligible[:left]
    free = without_held_out(locked, [candidate.account_id for candidate in taken], now=now)
    for candidate in taken:
        if candidate.account_id in free:
            begin_run(
                version=version,
                account_id=candidate.account_id,
                source=candidate.source,
                contact=None,
                acting_user=None,
                now=now,
            )
    waiting = len(eligible) - len(taken)
    if waiting:
        _pause_by_cap(locked, waiting, now)
    if taken:
        audit("health.sequence.enrolled", acting_user=None, target=locked, begun=len(free), waiting=waiting)
    return Enrolled(len(free), len(taken) - len(free), waiting)


def runs_left_today(sequence: Sequence, definition: SequenceDefinition, *, now: datetime) -> int:
    """How many runs may still begin on the local day of `now`, or since the cap was released on it."""
    zone = Workspace.objects.get(pk=current_workspace_id()).zone
    since = day_start(local_day(now, zone), zone)
    begun = SequenceRun.objects.filter(sequence=sequence, started_at__gte=since)
    if sequence.released_at and sequence.released_at >= since:
        begun = begun.filter(started_at__gte=sequence.released_at)
    return max(0, definition.daily_cap - begun.count())


def _pause_by_cap(sequence: Sequence, waiting: int, now: datetime) -> None:
    """More than expected: nobody else begins until a person has looked. Running runs go on."""
    sequence.paused_at, sequence.paused_by, sequence.pause_reason = now, None, PauseReason.CAP
    sequence.waiting_accounts = waiting
    sequence.save(update_fields=["paused_at", "paused_by", "pause_reason", "waiting_accounts"])
    audit("health.sequence.capped", acting_user=None, target=sequence, waiting=waiting)
    tell_of_pause(sequence, now=now)


def _locked(sequence: Sequence) -> Sequence:
    found: Sequence = Sequence.objects.select_for_update().get(pk=sequence.pk)
    return found
