"""Playbooks on an account's timeline: begun, finished, left early."""

from __future__ import annotations

from django.utils.translation import gettext

from accounts.models import Account
from accounts.registry import TimelineEntry
from health.models import RunState
from health.queries.playbooks import latest_runs
from health.queries.sequence_words import end_words


def playbook_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """The newest begins and ends of runs."""
    found: list[TimelineEntry] = []
    for run in latest_runs(account)[:limit]:
        found.append(
            TimelineEntry(
                when=run.started_at,
                title=gettext("Playbook begun: %(name)s") % {"name": run.sequence.name},
                who=str(run.started_by or ""),
                icon="play",
            )
        )
        if run.finished_at is not None:
            is_done = run.state == RunState.DONE
            found.append(
                TimelineEntry(
                    when=run.finished_at,
                    title=gettext("Playbook ended: %(name)s") % {"name": run.sequence.name},
                    text="" if is_done else end_words(run.end_reason),
                    who=str(run.ended_by or ""),
                    icon="circle-check" if is_done else "x",
                )
            )
    return sorted(found, key=lambda entry: entry.when, reverse=True)[:limit]
