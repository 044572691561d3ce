"""Playbooks of the demo workspace: five in force for three weeks, one that its cap has paused, the rest to choose from."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import User
from health.models import OPEN_STATES, Sequence, SequenceKind, SequenceRun
from health.sequences.library import ready
from health.services.playbook_library import install
from health.services.sequence_engine import advance
from health.services.sequence_plans import draft_of, publish
from health.services.sequences import enrol_due

PLAYBOOK = SequenceKind.PLAYBOOK
LIVE = {"usage-dropped": 8, "gone-quiet": 8, "key-feature-unused": 6, "champion-left": 6, "tickets-rising": 6}
DRAFTS = ("high-churn-probability",)
DAYS = 18


def write_demo_playbooks(*, acting_user: User, now: datetime) -> int:
    """Returns the runs; nothing where playbooks exist. What they ask of the CSMs is in the queue."""
    if Sequence.objects.filter(kind=PLAYBOOK).exists():
        return 0
    began = now - timedelta(days=DAYS)
    for key, cap in LIVE.items():
        sequence = _installed(key, acting_user, began)
        draft = draft_of(sequence)
        if draft is None:
            continue
        definition = {**draft.definition, "daily_cap": cap}
        publish(sequence=sequence, definition=definition, note="", acting_user=acting_user, now=began)
        enrol_due(sequence, now=began)
    for key in DRAFTS:
        _installed(key, acting_user, now)
    for day in range(DAYS + 1):
        _live_on(began + timedelta(days=day))
    _reopen(now)
    return SequenceRun.objects.filter(sequence__kind=PLAYBOOK).count()


def _installed(key: str, acting_user: User, now: datetime) -> Sequence:
    item = ready(key)
    assert item is not None, key
    return install(item, acting_user=acting_user, now=now)


def _live_on(now: datetime) -> None:
    runs = SequenceRun.objects.filter(state__in=OPEN_STATES, sequence__kind=PLAYBOOK)
    for pk in list(runs.values_list("pk", flat=True)):
        advance(pk, now=now)


def _reopen(now: datetime) -> None:
    """All but one were looked at by somebody since; that one still waits for a person."""
    paused = list(
        Sequence.objects.filter(kind=PLAYBOOK, paused_at__isnull=False).order_by("-waiting_accounts")
    )
    for sequence in paused[1:]:
        sequence.paused_at, sequence.pause_reason, sequence.waiting_accounts = None, "", 0
        sequence.released_at = now
        sequence.save()
