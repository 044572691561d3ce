"""What an admin does with a sequence: make, draft, publish, roll back, pause, release, archive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Job, Segment, User
from accounts.services import versions
from accounts.services.audit import audit
from health.models import OPEN_STATES, PauseReason, Sequence, SequenceKind, SequenceRun, SequenceVersion
from health.sequences.parsing import parse_sequence
from health.services.sequence_holdout import set_up_holdout
from health.services.sequence_runs import exit_run, wake_runs

ENROL_JOB = "health.sequence_enrol"


def in_force(sequence: Sequence) -> SequenceVersion | None:
    return versions.newest_published(SequenceVersion, sequence)


def draft_of(sequence: Sequence) -> SequenceVersion | None:
    return versions.draft_of(SequenceVersion, sequence)


@transaction.atomic
def create_sequence(
    *,
    name: str,
    definition: Mapping[str, Any],
    acting_user: User | None,
    purpose: str = "",
    kind: str = SequenceKind.PLAYBOOK,
    library_key: str = "",
) -> Sequence:
    """A sequence with a draft; it does nothing before it is published."""
    made: Sequence = Sequence.objects.create(
        name=name, purpose=purpose, kind=kind, library_key=library_key, created_by=acting_user
    )
    versions.save_draft(SequenceVersion, parent=made, definition=definition, acting_user=acting_user)
    audit("health.sequence.created", acting_user=acting_user, target=made, kind=kind)
    return made


def free_name(name: str) -> str:
    """The name, with a number behind it where it is taken."""
    taken = set(Sequence.objects.filter(archived_at__isnull=True).values_list("name", flat=True))
    numbered = (f"{name[:95]} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


@transaction.atomic
def rename_sequence(*, sequence: Sequence, name: str, purpose: str, acting_user: User) -> None:
    sequence.name, sequence.purpose = name, purpose
    sequence.save(update_fields=["name", "purpose"])
    audit("health.sequence.renamed", acting_user=acting_user, target=sequence)


def save_draft(*, sequence: Sequence, definition: Mapping[str, Any], acting_user: User) -> SequenceVersion:
    """Keep what was typed, mistakes included, as the one draft."""
    return versions.save_draft(
        SequenceVersion, parent=sequence, definition=definition, acting_user=acting_user
    )


def discard_draft(*, sequence: Sequence, acting_user: User) -> None:
    versions.discard_draft(SequenceVersion, parent=sequence, acting_user=acting_user)


def known_segments() -> frozenset[str]:
    """Public ids that a trigger may name."""
    return frozenset(str(pk) for pk in Segment.objects.values_list("public_id", flat=True))


@transaction.atomic
def publish(
    *, sequence: Sequence, definition: Mapping[str, Any], note: str, acting_user: User | None, now: datetime
) -> SequenceVersion:
    """Put a definition in force for runs that begin from now on, and look who is at the door.

    Raises SequenceError with every mistake, ExperimentRefused in words; then nothing is published.
    """
    clean = parse_sequence(definition, segments=known_segments())
    version = versions.publish(
        SequenceVersion,
        parent=sequence,
        definition=clean.as_json(),
        note=note,
        acting_user=acting_user,
        now=now,
    )
    Sequence.objects.filter(pk=sequence.pk, began_at__isnull=True).update(began_at=now)
    set_up_holdout(sequence, clean, acting_user=acting_user, now=now)
    Job.objects.put(ENROL_JOB, sequence.pk)
    return version


@transaction.atomic
def roll_back(*, version: SequenceVersion, acting_user: User, now: datetime) -> SequenceVersion:
    """Publish an older version's definition again, as a new version."""
    clean = parse_sequence(version.definition, segments=known_segments())
    restored = versions.roll_back(version=version, acting_user=acting_user, now=now)
    set_up_holdout(version.sequence, clean, acting_user=acting_user, now=now)
    return restored


@transaction.atomic
def pause_sequence(*, sequence: Sequence, acting_user: User, now: datetime) -> None:
    """Nobody new begins and every run stands still where it is."""
    locked = Sequence.objects.select_for_update().get(pk=sequence.pk)
    locked.paused_at, locked.paused_by, locked.pause_reason = now, acting_user, PauseReason.HAND
    locked.save(update_fields=["paused_at", "paused_by", "pause_reason"])
    audit("health.sequence.paused", acting_user=acting_user, target=locked)


@transaction.atomic
def release_sequence(*, sequence: Sequence, acting_user: User, now: datetime) -> None:
    """Go on: runs take up their steps, and another day's cap of accounts may begin."""
    locked = Sequence.objects.select_for_update().get(pk=sequence.pk)
    if locked.paused_at is None:
        return
    was_held = locked.holds_runs
    locked.paused_at = locked.paused_by = None
    locked.pause_reason, locked.waiting_accounts, locked.released_at = "", 0, now
    locked.save()
    if was_held:
        rows = SequenceRun.objects.filter(sequence=locked, state__in=["active", "waiting"])
        wake_runs(rows.values_list("pk", flat=True))
    Job.objects.put(ENROL_JOB, locked.pk)
    audit("health.sequence.released", acting_user=acting_user, target=locked)


@transaction.atomic
def archive_sequence(*, sequence: Sequence, acting_user: User, now: datetime) -> int:
    """Put a sequence away and end its runs; returns how many. Its history stays."""
    locked = Sequence.objects.select_for_update().get(pk=sequence.pk)
    locked.archived_at = now
    locked.save(update_fields=["archived_at"])
    runs = SequenceRun.objects.filter(sequence=locked, state__in=OPEN_STATES)
    ended = [exit_run(run=r, reason="archived", acting_user=acting_user, now=now) for r in runs]
    audit("health.sequence.archived", acting_user=acting_user, target=locked, runs=len(ended))
    return len(ended)
