"""Working on the provider's messages: read afresh what a message speaks of, and write it.

A message is only a hint that something changed. Order, repetition and age do not matter: what counts is what the
provider says now, and a message that came before the last read began has nothing to add.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import OperationalError
from django.utils import timezone

from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.reading import parsed_event
from accounts.models import BillingConnection, BillingMessage, Job
from accounts.services.billing_answered import UPDATED_BY_NETWORK, close_answered, is_read_now
from accounts.services.billing_inbox import (
    PRIORITY,
    current_connection,
    reader_of,
    target_of,
    tell_parked,
)
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader, is_read_since
from accounts.services.billing_rights import is_known_right, note_missing_right
from accounts.services.jobs import ComeBack, Lease, LostLease
from accounts.services.notifications import notify_admins
from cs_platform.lib.quick_rows import QuickRows
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

REFUSED_KIND = "accounts.billing_key_refused"
MOST_FAILURES = 5
RETRY_AFTER = timedelta(seconds=5)  # times 2, 4, 8, 16
# Not our fault and not the message's: the provider is away, is asked too much, or no longer takes our key.
_AWAY, _REFUSED = timedelta(seconds=30), timedelta(minutes=15)
_NO_RIGHT = timedelta(minutes=30)
_READ_NOW = timedelta(seconds=0.4)
_MESSAGES = QuickRows(BillingMessage)


def work_message(lease: Lease) -> None:
    """Handler of the job. What fails five times is parked, told to the admins, and holds up nothing else."""
    opened = _open(lease)
    if opened is None:
        return
    row, connected = opened
    try:
        _work(lease, connected, row)
    except (ComeBack, LostLease):
        raise
    except BillingError as error:
        _judge(lease, connected, row, error)
    except OperationalError as error:  # a deadlock, a database that restarts: the message is not to blame
        raise ComeBack(timedelta(seconds=1 + random.random())) from error
    except Exception as error:
        log.exception("billing.message_failed", message_type=row.message_type, failures=row.failures + 1)
        _fail(lease, row, type(error).__name__)


def _open(lease: Lease) -> tuple[BillingMessage, BillingConnection] | None:
    """The message and the way to its provider; None when there is nothing to do any more, which ends the job."""
    with workspace_scope(lease.workspace_id):
        row = _MESSAGES.first("id = %s AND processed_at IS NULL AND parked_at IS NULL", lease.object_id)
        connected = current_connection() if row else None
        if row is not None and connected is None:
            _close(row, note="disconnected")
        elif row is not None and lease.attempts > MOST_FAILURES:  # it took its workers with it
            _note_failure(row, "its worker died", now=timezone.now(), is_last=True)
        elif row is not None and connected is not None:
            is_known = (
                row.object_id and not _is_special(row) and is_read_since(row.object_id, row.received_at)
            )
            if not is_known and row.object_id and is_read_now(lease, row.object_id):
                raise ComeBack(_READ_NOW * (1 + random.random()))
            if not is_known:
                return row, connected
            _close(row)
        lease.finish()
    return None


def _work(lease: Lease, connected: BillingConnection, row: BillingMessage) -> None:
    gateway = paced_gateway(connected)
    reader, afresh = reader_of(row.message_type), Reader(gateway)
    finish = reader.read(gateway, row) if reader else lambda: None
    if target := row.object_id or ("" if reader else _target_anew(row)):
        afresh.read(target)
    with workspace_scope(lease.workspace_id):
        lease.hold()
        is_updated = row.message_type == UPDATED_BY_NETWORK
        afresh.found.apply(
            now=timezone.now(), changed_at=row.made_at, replaced_at=row.made_at if is_updated else None
        )
        finish()
        _close(row)
        close_answered(afresh.read_at)
        lease.finish()


def _target_anew(row: BillingMessage) -> str:
    """What a message is about that could not be understood when it came; raises while it still cannot."""
    return target_of(parsed_event(json.loads(bytes(row.body)))) if row.body else ""


def _is_special(row: BillingMessage) -> bool:
    """Whether the message itself says something that reading the object does not."""
    return row.message_type == UPDATED_BY_NETWORK or reader_of(row.message_type) is not None


def _close(row: BillingMessage, note: str = "") -> None:
    """Worked on; the text goes, as it may name people."""
    BillingMessage.objects.filter(pk=row.pk).update(processed_at=timezone.now(), body=None, last_error=note)


def _judge(lease: Lease, connected: BillingConnection, row: BillingMessage, error: BillingError) -> None:
    """Whether to come back, and when, or to count it against the message."""
    if error.is_refused_key:
        with workspace_scope(lease.workspace_id):
            note_refused(connected, now=timezone.now())
        raise ComeBack(_REFUSED)
    if is_known_right(error):
        _without_right(lease, connected, row, error)
        return
    if error.is_absent and error.object_id == row.object_id and row.failures:
        _absent(lease, row)
        return
    if not error.permanent and error.code != "unreadable":
        raise ComeBack(_AWAY * (1 + random.random())) from error
    _fail(lease, row, error.text)


def _absent(lease: Lease, row: BillingMessage) -> None:
    """Asked twice, and the provider does not have it: test data that was wiped. Nothing is left to do; what the mirror
    still holds of it is told by the nightly comparison."""
    with workspace_scope(lease.workspace_id):
        _close(row, note="the provider does not have it any more")
        lease.finish()


def _without_right(
    lease: Lease, connected: BillingConnection, row: BillingMessage, error: BillingError
) -> None:
    """The key may not read it. Told once; with the right everything is read anew, so that nothing waits here
    but what only the message itself says."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        name = note_missing_right(connected, error, now=timezone.now())
        if not _is_special(row):
            _close(row, note=f"not read: the key lacks {name}"[:200])
            return
    raise ComeBack(_NO_RIGHT * (1 + random.random()))


def _fail(lease: Lease, row: BillingMessage, reason: str) -> None:
    """Count it; its next try stands behind those that never failed."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        failures = _note_failure(row, reason, now=timezone.now())
        Job.objects.filter(pk=lease.job_id).update(priority=PRIORITY + 1)
    if failures < MOST_FAILURES:
        raise ComeBack(RETRY_AFTER * 2**failures)


def _note_failure(row: BillingMessage, reason: str, *, now: datetime, is_last: bool = False) -> int:
    locked = BillingMessage.objects.select_for_update().get(pk=row.pk)
    locked.failures, locked.last_error = locked.failures + 1, reason[:200]
    if is_last or locked.failures >= MOST_FAILURES:
        locked.parked_at = now
        log.error("billing.message_parked", message_type=locked.message_type, reason=reason)
        tell_parked(locked, now=now)
    locked.save(update_fields=["failures", "last_error", "parked_at"])
    return int(locked.failures)


def note_refused(connected: BillingConnection, *, now: datetime) -> None:
    """The provider no longer takes the key: shown on the page and told once, until it is changed."""
    fresh = BillingConnection.objects.filter(pk=connected.pk, refused_at__isnull=True)
    if fresh.update(refused_at=now):
        context: dict[str, Any] = {"account": connected.account_name}
        notify_admins(
            kind=REFUSED_KIND, cause_key=f"{connected.pk}:{now.isoformat()}", context=context, now=now
        )
