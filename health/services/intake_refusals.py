"""Keep what the intake refused lately, so that whoever connects a product sees the reason within seconds.

Never in the way of the intake: at most one note per workspace and second in each process, in a transaction of its
own after the answer is settled, errors ignored. The list is short and holds no content of any message.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from django.db import Error, connection
from django.utils import timezone

from accounts.models import Workspace
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import parse_credential
from health.intake.rows import Rejection
from health.models import IntakeRefusal

log = structlog.get_logger(__name__)

KEPT = 50
SHOWN_FIELDS = 5
_SECONDS = 1.0
_last: dict[int, float] = {}


def note_refusal(workspace_id: int, *, status: int, endpoint: str, reason: str, messages: int = 1) -> None:
    """One refused request."""
    _note(workspace_id, [IntakeRefusal(status=status, endpoint=endpoint, reason=reason, messages=messages)])


def note_rejections(workspace_id: int, *, status: int, endpoint: str, rejected: Sequence[Rejection]) -> None:
    """Messages of a request that were refused, grouped by field and reason."""
    counts: dict[tuple[str, str], int] = {}
    for row in rejected:
        counts[row.field, str(row.reason)] = counts.get((row.field, str(row.reason)), 0) + 1
    rows = [
        IntakeRefusal(status=status, endpoint=endpoint, field=field[:100], reason=reason, messages=number)
        for (field, reason), number in list(counts.items())[:SHOWN_FIELDS]
    ]
    _note(workspace_id, rows)


def note_bad_key(text: str, *, endpoint: str) -> None:
    """A request whose key is unknown, revoked or not for writing: told to the workspace that it names, if any."""
    credential = parse_credential(text)
    if credential is None:
        return
    workspace = Workspace.objects.filter(public_id=credential.workspace).only("pk").first()
    if workspace is not None:
        note_refusal(
            workspace.pk,
            status=401,
            endpoint=endpoint,
            reason="the key is unknown, revoked or not a write key",
        )


def _note(workspace_id: int, rows: list[IntakeRefusal]) -> None:
    now = time.monotonic()
    if now - _last.get(workspace_id, -_SECONDS) < _SECONDS:
        return
    _last[workspace_id] = now
    received_at = timezone.now()
    try:
        with workspace_scope(workspace_id):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '500ms'; SET LOCAL lock_timeout = '100ms'")
            for row in rows:
                row.received_at, row.workspace_id = received_at, workspace_id
                row.reason = row.reason[:300]
            IntakeRefusal.objects.bulk_create(rows)
            newest = IntakeRefusal.objects.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1]
            for oldest_but_kept in newest:
                IntakeRefusal.objects.filter(pk__lte=oldest_but_kept).delete()
    except Error:
        log.info("intake.refusal_not_noted", workspace_id=workspace_id)
