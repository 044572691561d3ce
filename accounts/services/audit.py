"""The append-only audit log: one write feeds history; ids and codes only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.utils import timezone

from accounts.models import AuditEntry, AuditHead, User
from cs_platform.lib.scoping import current_workspace_id

_CHAINED = ("pk", "action", "actor_id", "object_type", "object_id", "data", "created_at", "digest")


@dataclass(frozen=True)
class Verification:
    """How many entries follow from each other, and the first one that does not.

    `broken_id` is None for a sound log. `is_cut` means that entries are missing at its end.
    """

    entries: int
    broken_id: int | None = None
    is_cut: bool = False

    @property
    def is_sound(self) -> bool:
        return self.broken_id is None and not self.is_cut


def audit(
    action: str, *, acting_user: User | None, target: models.Model | None = None, **data: Any
) -> AuditEntry:
    """Append "app.noun.verb_past" with ids and codes; `acting_user` None means the system.

    Each row's digest covers the row before it (per workspace), so that a change or a removal
    is found by `verify_audit_log`. Serialised per workspace by an advisory lock.
    """
    _wait_for_turn()
    head = AuditHead.objects.first() or AuditHead()
    entry = AuditEntry(
        action=action,
        actor_id=acting_user.pk if acting_user else None,
        object_type=target._meta.label_lower if target else "",
        object_id=target.pk if target else None,
        data=data,
        created_at=timezone.now(),
    )
    entry.digest = head.digest = _digest(bytes(head.digest), _values(entry))
    head.entries += 1
    entry.save(force_insert=True)
    head.save()
    return entry


def verify_audit_log() -> Verification:
    """Walk the running workspace's log from its first entry to what its head says was the last.

    Takes about 20 µs an entry; writers wait meanwhile, else a new entry would look like a forged one.
    """
    _wait_for_turn()
    previous, count = b"", 0
    rows = AuditEntry.objects.order_by("pk").values_list(*_CHAINED)
    for pk, *values, digest in rows.iterator(chunk_size=2000):
        if bytes(digest) != _digest(previous, tuple(values)):
            return Verification(count, broken_id=int(pk))
        previous, count = bytes(digest), count + 1
    head = AuditHead.objects.first() or AuditHead()
    return Verification(count, is_cut=(head.entries, bytes(head.digest)) != (count, previous))


def _wait_for_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7001, %s)", [current_workspace_id() % 2_147_483_647])


def _values(entry: AuditEntry) -> Any:
    return (
        entry.action,
        entry.actor_id,
        entry.object_type,
        entry.object_id,
        entry.data,
        entry.created_at,
    )


def _digest(previous: bytes, values: Any) -> bytes:
    *codes, at = values
    content = json.dumps([*codes, at.isoformat()], sort_keys=True)
    return hashlib.sha256(previous + content.encode()).digest()
