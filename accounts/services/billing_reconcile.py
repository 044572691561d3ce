"""Nothing is missed: every hour the provider's own list of messages is read, every night the ledgers are compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.reading import list_events, parsed_event
from accounts.gateways.stripe.rights import still_missing
from accounts.models import BillingConnection, BillingMessage, BillingSync, Workspace
from accounts.services.billing_connections import regain
from accounts.services.billing_first_sync import first_step, pass_stage
from accounts.services.billing_inbox import current_connection, reader_of, store, target_of
from accounts.services.billing_ledger import finish_ledger, ledger_step, pass_list
from accounts.services.billing_syncs import Kind, State, Walk, begin_sync, walk
from accounts.services.jobs import Lease
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope

EVERY = timedelta(minutes=50)  # asked for more often than hourly, so that no hour is without one
OVERLAP = timedelta(minutes=10)  # a message may appear in the list later than its own time says
KEPT_THERE = timedelta(days=29)  # the provider lists messages for 30 days
_NIGHT = timedelta(hours=20)
_REMEMBERED = timedelta(days=30)
Write = Callable[[], None]


def run_sync(lease: Lease) -> None:
    """Handler of the job of every walk."""
    steps = {Kind.FIRST: first_step, Kind.MESSAGES: messages_step, Kind.LEDGER: ledger_step}
    passes = {Kind.FIRST: pass_stage, Kind.MESSAGES: pass_messages, Kind.LEDGER: pass_list}
    walk(
        lease,
        {str(kind): step for kind, step in steps.items()},
        {str(kind): passing for kind, passing in passes.items()},
        _finish,
    )


def request_reconciliations(now: datetime) -> int:
    """Begin what is due in every workspace; returns how many walks began. Safe to call at any time, by anybody."""
    return sum(_request(pk, now) for pk in Workspace.objects.order_by("pk").values_list("pk", flat=True))


def _request(workspace_id: int, now: datetime) -> int:
    with workspace_scope(workspace_id):
        connected = current_connection()
        if connected is None or connected.refused_at is not None or _is_running(connected, Kind.FIRST):
            return 0
        since = connected.events_read_to
        if since is None or now - since > KEPT_THERE:  # never whole, or away for longer than the list reaches
            if not _is_due(
                connected, Kind.FIRST, now - EVERY
            ):  # refused for a missing right: not again at once
                return 0
            begin_sync(connected, Kind.FIRST, now=now)
            return 1
        begun = 0
        if _is_due(connected, Kind.MESSAGES, now - EVERY):
            begin_sync(connected, Kind.MESSAGES, now=now)
            begun += 1
        workspace = Workspace.objects.get(pk=workspace_id)
        is_night = now.astimezone(ZoneInfo(workspace.time_zone)).hour == workspace.night_hour
        if is_night and _is_due(connected, Kind.LEDGER, now - _NIGHT):
            begin_sync(connected, Kind.LEDGER, now=now)
            begun += 1
        return begun


def _is_running(connected: BillingConnection, kind: str) -> bool:
    return bool(BillingSync.objects.filter(connection=connected, kind=kind, state=State.RUNNING).exists())


def _is_due(connected: BillingConnection, kind: str, before: datetime) -> bool:
    recent = BillingSync.objects.filter(connection=connected, kind=kind)
    return not recent.filter(started_at__gt=before).exists() and not _is_running(connected, kind)


def messages_step(walk: Walk) -> Write | None:
    """Read a page of the provider's list of messages; store those that never came. None after the last page."""
    position = walk.position
    if position.get("done"):
        return None
    if walk.sync.connection.missing and not position:
        return _ask_for_rights(walk)
    began = datetime.fromisoformat(position["began"]) if "began" in position else database_now()
    since = walk.sync.connection.events_read_to or walk.sync.connection.connected_at
    received_at = database_now()
    page = list_events(walk.gateway, position.get("after", ""), since=since - OVERLAP)

    def commit() -> None:
        ids = [str(one.get("id", ""))[:200] for one in page.rows]
        here = set(BillingMessage.objects.filter(message_id__in=ids).values_list("message_id", flat=True))
        missed = [one for one, key in zip(page.rows, ids, strict=True) if key not in here and _matters(one)]
        for one in missed:
            store(one, received_at=received_at, was_listed=True)
        walk.count("listed", len(page.rows))
        walk.count("missed", len(missed))
        walk.position = {"after": page.cursor, "began": began.isoformat(), "done": not page.cursor}

    return commit


def _ask_for_rights(walk: Walk) -> Write:
    """Whether rights that were missing are there now."""
    missing = still_missing(walk.gateway, walk.sync.connection.missing)

    def commit() -> None:
        connected = BillingConnection.objects.select_for_update().get(pk=walk.sync.connection_id)
        gone = set(walk.sync.connection.missing) - set(missing)
        if gone:
            regain(connected, [name for name in connected.missing if name not in gone], now=walk.now)
        walk.position = {"asked": True}

    return commit


def pass_messages(walk: Walk) -> None:
    """The key may not read the list: what was read to stays as it was."""
    walk.position = {"done": True, "without": True}


def _matters(data: dict[str, object]) -> bool:
    """Whether the mirror, or somebody above it, does something after this message."""
    try:
        event = parsed_event(dict(data))
    except BillingError:
        return True
    return bool(target_of(event)) or reader_of(event.type) is not None


def _finish(walk: Walk) -> None:
    """What the end of a walk means for the connection."""
    connected = BillingConnection.objects.filter(pk=walk.sync.connection_id)
    if walk.sync.kind == Kind.FIRST:
        connected.update(events_read_to=walk.sync.started_at)
    elif walk.sync.kind == Kind.MESSAGES and not walk.position.get("without"):
        began = walk.position.get("began")
        connected.update(events_read_to=datetime.fromisoformat(began) if began else walk.now.astimezone(UTC))
    elif walk.sync.kind == Kind.LEDGER:
        finish_ledger(walk)
    old = BillingSync.objects.filter(kind=walk.sync.kind, finished_at__lt=walk.now - _REMEMBERED)
    old.exclude(kind=Kind.FIRST).delete()
