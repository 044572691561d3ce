"""The append-only audit log: one write feeds history; ids and codes only."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import connection, models
from django.utils import timezone

from accounts.models import AuditEntry, User
from cs_platform.lib.scoping import current_workspace_id


def audit(
    action: str, *, acting_user: User | None, target: models.Model | None = None, **data: Any
) -> AuditEntry:
    """Append "app.noun.verb_past" with ids and codes; `acting_user` None means the system.

    Each row's digest covers the row before it (per workspace), so that a change or a removal
    is found by `verify_audit_log`. Serialised per workspace by an advisory lock.
    """
    workspace_id = current_workspace_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7001, %s)", [workspace_id % 2_147_483_647])
    last = AuditEntry.objects.order_by("-pk").first()
    entry = AuditEntry(
        action=action,
        actor_id=acting_user.pk if acting_user else None,
        object_type=target._meta.label_lower if target else "",
        object_id=target.pk if target else None,
        data=data,
        created_at=timezone.now(),
    )
    entry.digest = _digest(bytes(last.digest) if last else b"", entry)
    entry.save(force_insert=True)
    return entry


def verify_audit_log() -> int | None:
    """The id of the first entry that does not follow from the one before it, or None."""
    previous = b""
    for entry in AuditEntry.objects.order_by("pk").iterator(chunk_size=2000):
        if bytes(entry.digest) != _digest(previous, entry):
            return int(entry.pk)
        previous = bytes(entry.digest)
    return None


def _digest(previous: bytes, entry: AuditEntry) -> bytes:
    content = json.dumps(
        [
            entry.action,
            entry.actor_id,
            entry.object_type,
            entry.object_id,
            entry.data,
            entry.created_at.isoformat(),
        ],
        sort_keys=True,
    )
    return hashlib.sha256(previous + content.encode()).digest()
