"""Walks through the provider's data, page by page: each page and the cursor behind it commit together, so that a
killed worker costs one page. The first synchronisation, the hourly list of messages and the nightly comparison
are such walks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.utils import timezone

from accounts.gateways.stripe.client import BillingError, Gateway
from accounts.models import BillingConnection, BillingSync, Job
from accounts.services.billing_messages import note_refused
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_rights import is_known_right, note_missing_right
from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

SYNC_JOB = "accounts.billing_sync"
LEASE = timedelta(seconds=120)
# Pages in one go; then others have their turn.
PAGES_A_TURN = 40
_MOST_TRIES, _AWAY = 20, timedelta(seconds=20)
Kind, State = BillingSync.Kind, BillingSync.State


@dataclass
class Walk:
    """A walk as its steps see it. `position` is what the cursor keeps; a step changes it and `counts`."""

    gateway: Gateway
    lease: Lease
    sync: BillingSync
    now: datetime
    position: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, more: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + more


# Reads outside any transaction and answers what to write; None when the walk is at its end.
Step = Callable[[Walk], Callable[[], None] | None]
Pass = Callable[[Walk], None]


def begin_sync(connected: BillingConnection, kind: str, *, now: datetime) -> BillingSync:
    """Begin a walk of this kind, or the one that is under way; in the running scope."""
    sync, _ = BillingSync.objects.get_or_create(
        connection=connected,
        kind=kind,
        state=State.RUNNING,
        defaults={"started_at": now, "moved_at": now},
    )
    Job.objects.put(SYNC_JOB, sync.pk)
    return sync


def walk(
    lease: Lease, steps: dict[str, Step], passes: dict[str, Pass], finish: Callable[[Walk], None]
) -> None:
    """Take steps until the walk is done or it is others' turn. Raises ComeBack for what is not over.

    `passes` moves a walk on where the key lacks the right to read: to whatever it may read all the same.
    """
    opened = _open(lease)
    if opened is None:
        return
    step = steps[opened.sync.kind]
    try:
        for _ in range(PAGES_A_TURN):
            write = step(opened)
            if write is None:
                _end(opened, finish)
                return
            _write(opened, write)
    except BillingError as error:
        if is_known_right(error):
            _pass_over(opened, error, passes[opened.sync.kind])
        else:
            _judge(opened, error)
    raise ComeBack(timedelta(0))


def _open(lease: Lease) -> Walk | None:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        sync = BillingSync.objects.select_related("connection").filter(pk=lease.object_id).first()
        if sync is None or sync.state != State.RUNNING:
            return None
        if sync.connection.disconnected_at is not None:
            _fail(sync, "disconnected")
            return None
        cursor: dict[str, Any] = dict(sync.cursor)
        tries = cursor.pop("tries", 0) + 1
        if tries > _MOST_TRIES:
            _fail(sync, "gave up: no page for a long time")
            return None
        BillingSync.objects.filter(pk=sync.pk).update(cursor={**cursor, "tries": tries})
    gateway = paced_gateway(sync.connection)
    return Walk(gateway, lease, sync, timezone.now(), cursor, dict(sync.counts))


def _write(opened: Walk, write: Callable[[], None]) -> None:
    with workspace_scope(opened.lease.workspace_id):
        opened.lease.hold()
        write()
        moved = BillingSync.objects.filter(pk=opened.sync.pk, state=State.RUNNING)
        moved.update(cursor=opened.position, counts=opened.counts, moved_at=timezone.now())
    opened.lease.extend(LEASE)


def _end(opened: Walk, finish: Callable[[Walk], None]) -> None:
    with workspace_scope(opened.lease.workspace_id):
        opened.lease.hold()
        finish(opened)
        done = BillingSync.objects.filter(pk=opened.sync.pk, state=State.RUNNING)
        done.update(state=State.DONE, finished_at=timezone.now(), counts=opened.counts, cursor={})


def _pass_over(opened: Walk, error: BillingError, passing: Pass) -> None:
    def write() -> None:
        note_missing_right(opened.sync.connection, error, now=timezone.now())
        passing(opened)

    _write(opened, write)
    log.warning("billing.sync_passed_over", kind=opened.sync.kind, reason=error.text)


def _judge(opened: Walk, error: BillingError) -> None:
    """The provider is away: come back where we were. It refuses: say so, and begin anew when that is mended."""
    if not error.permanent:
        raise ComeBack(_AWAY * (1 + random.random())) from error
    with workspace_scope(opened.lease.workspace_id):
        opened.lease.hold()
        if error.is_refused_key:
            note_refused(opened.sync.connection, now=timezone.now())
        _fail(opened.sync, error.text)
    log.warning("billing.sync_failed", kind=opened.sync.kind, reason=error.text)
    raise ComeBack(timedelta(0))  # the next turn finds it failed and ends the job


def _fail(sync: BillingSync, reason: str) -> None:
    running = BillingSync.objects.filter(pk=sync.pk, state=State.RUNNING)
    running.update(state=State.FAILED, finished_at=timezone.now(), error=reason[:200])
