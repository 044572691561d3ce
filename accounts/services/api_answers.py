"""Idempotency keys: what took effect once is answered again for a day, never done again.

The answer is written in the transaction of its effect, so neither is there without the other; a caller
whose connection broke simply sends the same again. What took no effect (4xx, 5xx) is not kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from accounts.models import ApiAnswer, ApiKey
from cs_platform.lib.scoping import current_workspace_id

KEPT = timedelta(hours=24)


class InProgress(Exception):
    """Another request with this idempotency key is at work at this moment."""


class OtherRequest(Exception):
    """The idempotency key was used for a request with another method, address or body."""


@dataclass(frozen=True)
class Asked:
    """One request with its idempotency key."""

    key: ApiKey
    name: str
    method: str
    address: str
    body: bytes

    @property
    def digest(self) -> bytes:
        parts = (self.method.encode(), self.address.encode(), self.body)
        return hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()


def answered_before(asked: Asked, *, now: datetime) -> ApiAnswer | None:
    """The kept answer; None = go ahead, and nobody else may until this transaction ends.

    Raises InProgress, OtherRequest.
    """
    _only_one(asked)
    known = ApiAnswer.objects.filter(key=asked.key, idempotency_key=asked.name).first()
    if known is None:
        return None
    if known.created_at <= now - KEPT:
        known.delete()
        return None
    if bytes(known.request_digest) != asked.digest:
        raise OtherRequest(asked.name)
    answer: ApiAnswer = known
    return answer


def keep_answer(asked: Asked, *, status: int, body: str, now: datetime) -> None:
    """Call in the transaction of the effect."""
    ApiAnswer.objects.create(
        key=asked.key,
        idempotency_key=asked.name,
        request_digest=asked.digest,
        status=status,
        body=body,
        created_at=now,
    )


def _only_one(asked: Asked) -> None:
    """A lock until the transaction ends: a crash frees it by itself, and what was half done is rolled back."""
    name = f"idempotency|{current_workspace_id()}|{asked.key.pk}|{asked.name}"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise InProgress(asked.name)
