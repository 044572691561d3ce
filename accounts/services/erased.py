"""Nobody comes back by replay: keyed hashes of what an erased person was known by."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from accounts.models import ErasedIdentity, WorkspaceSecret

_SECRET = "erasure"


def remember(values: Iterable[str], *, tombstone: str, now: datetime) -> None:
    """Keep the hashes of these keys and addresses, pointing to the tombstone."""
    key = _key(make=True)
    assert key is not None
    rows = [
        ErasedIdentity(digest=_digest(key, value), tombstone=tombstone, erased_at=now)
        for value in {value.strip().lower() for value in values}
        if value
    ]
    ErasedIdentity.objects.bulk_create(rows, ignore_conflicts=True)


def tombstones(values: Iterable[str]) -> dict[str, str]:
    """Those of the values that name an erased person, with the tombstone; usually empty, after one query."""
    key = _key()
    wanted = {value for value in values if value}
    if key is None or not wanted:
        return {}
    digests = {_digest(key, value.strip().lower()): value for value in wanted}
    found = ErasedIdentity.objects.filter(digest__in=list(digests)).values_list("digest", "tombstone")
    by_digest = {bytes(digest): tombstone for digest, tombstone in found}
    return {
        value: by_digest[digest]
        for value in wanted
        if (digest := _digest(key, value.strip().lower())) in by_digest
    }


def _key(*, make: bool = False) -> bytes | None:
    row = WorkspaceSecret.objects.filter(name=_SECRET).first()
    if row is None and make:
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        row, _ = WorkspaceSecret.objects.get_or_create(name=_SECRET, defaults={"secret": fresh})
    return base64.b64decode(row.secret) if row else None


def _digest(key: bytes, value: str) -> bytes:
    return hmac.new(key, value.encode(), hashlib.sha256).digest()
