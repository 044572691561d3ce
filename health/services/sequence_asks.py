"""What runs ask of CSMs: never the same words twice at once, and closed when their run has no use for them.

An item closes as "not needed" when its run leaves early, when the run has waited for it and goes on (asks the next
thing or ends), and when what would have ended the run comes true after its last step. What a run asks after its
last wait stays until somebody resolves it: a playbook may end with a thing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import Workspace
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id
from health.models import (
    OPEN_STATES,
    QueueItem,
    Resolution,
    ResolutionResult,
    Risk,
    RunState,
    SequenceRun,
    StepRun,
)
from health.queries.sequence_exits import exit_reasons
from health.sequences.controls import WAITS
from health.services.queue import refresh_entries

SOURCE = "sequence"
_LOCK = 7041


def ask(run: SequenceRun, step_id: str, values: Mapping[str, Any], *, now: datetime) -> QueueItem:
    """The open item with the step's words; one that another playbook has opened for this account is shared."""
    with connection.cursor() as cursor:  # two playbooks of one account do not both find nothing
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, run.account_id % 2_147_483_647])
    source = f"{SOURCE}:{run.sequence_id}:{step_id}"
    item = _same_words(run.account_id, source, values["title"])
    if item is None:
        item = _opened(run, source, values, now)
    elif item.severity < int(values["severity"]):
        item.severity = int(values["severity"])
        item.save(update_fields=["severity"])
    close_past(run, now=now, keep=item)
    refresh_entries([run.account_id])
    return item


def close_all(run: SequenceRun, *, now: datetime) -> int:
    """The run has left early: nothing of what it asked is needed any more. Returns how many items closed."""
    return _close(_asked(run), run, now)


def close_past(run: SequenceRun, *, now: datetime, keep: QueueItem | None = None) -> int:
    """What the run asked before its last wait; after it, the run went on without."""
    wait = StepRun.objects.filter(run=run, kind__in=WAITS).order_by("-pk").first()
    if wait is None:
        return 0
    fresh = StepRun.objects.filter(run=run, pk__gt=wait.pk, queue_item__isnull=False).values("queue_item")
    past = _asked(run).exclude(pk__in=fresh)
    return _close(past.exclude(pk=keep.pk) if keep else past, run, now)


@transaction.atomic
def close_left(*, now: datetime) -> int:
    """The night's look at runs that came to their end: what they still ask, and need not. Returns the items."""
    still_open = QueueItem.objects.filter(source__startswith=f"{SOURCE}:", closed_at__isnull=True)
    asked_by = StepRun.objects.filter(queue_item__in=still_open).values("run")
    runs = list(SequenceRun.objects.filter(pk__in=asked_by, state=RunState.DONE).select_related("version"))
    over = exit_reasons(runs, now=now)
    return sum(close_all(run, now=now) if run.pk in over else close_past(run, now=now) for run in runs)


def _same_words(account_id: int, source: str, title: str) -> QueueItem | None:
    found: QueueItem | None = (
        QueueItem.objects.filter(account_id=account_id, closed_at__isnull=True, evidence__title=title)
        .filter(source__startswith=f"{SOURCE}:")
        .exclude(source=source)
        .first()
    )
    return found


def _opened(run: SequenceRun, source: str, values: Mapping[str, Any], now: datetime) -> QueueItem:
    evidence = {
        "title": values["title"],
        "instruction": values["instruction"],
        "run": str(run.public_id),
        "name": run.sequence.name,
    }
    item, _made = QueueItem.objects.update_or_create(
        account_id=run.account_id,
        source=source,
        closed_at=None,
        defaults={
            "severity": int(values["severity"]),
            "evidence": evidence,
            "opened_on": _today(now),
            "risk_id": _risk_of(run),
        },
    )
    return item


def _risk_of(run: SequenceRun) -> int | None:
    """The open risk that the run answers, so that its words stand beside it and not beside others."""
    kind, _colon, number = run.source.partition(":")
    if kind != "risk" or not number.isdecimal():
        return None
    open_risks = Risk.objects.filter(pk=int(number), account=run.account_id, closed_on__isnull=True)
    found: int | None = open_risks.values_list("pk", flat=True).first()
    return found


def _asked(run: SequenceRun) -> QuerySet[QueueItem]:
    """Open items of the run that no other open run asks for too."""
    mine = StepRun.objects.filter(run=run, queue_item__isnull=False)
    others = StepRun.objects.filter(run__state__in=OPEN_STATES, run__account=run.account_id)
    others = others.exclude(run=run).filter(queue_item__isnull=False)
    rows = QueueItem.objects.filter(pk__in=mine.values("queue_item"), closed_at__isnull=True)
    return rows.exclude(pk__in=others.values("queue_item"))


def _close(rows: QuerySet[QueueItem], run: SequenceRun, now: datetime) -> int:
    items = list(rows.select_for_update().order_by("pk"))
    if not items:
        return 0
    QueueItem.objects.filter(pk__in=[item.pk for item in items]).update(closed_at=now)
    Resolution.objects.create(
        account_id=run.account_id,
        result=ResolutionResult.NOT_NEEDED,
        note="; ".join(str(item.evidence.get("title", "")) for item in items)[:2000],
        sources=[item.source for item in items],
        resolved_at=now,
        quiet_until=_today(now),
    )
    refresh_entries([run.account_id])
    return len(items)


def _today(now: datetime) -> date:
    workspace: Workspace = Workspace.objects.get(pk=current_workspace_id())
    return local_day(now, workspace.zone)
