"""Which workspace a write key belongs to, remembered for a few seconds.

A client sends the same key with every request; asking the database each time would cost more than
checking it. A revoked key is therefore accepted for at most `SECONDS` more. Only hashes are kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from django.utils import timezone

from accounts.models import ApiKey
from accounts.services.workspaces import find_api_key
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import Credential, parse_credential

SECONDS = 5.0
_MOST = 10_000


@dataclass
class WriteKeys:
    """Positive answers only: an unknown key is looked up anew each time."""

    known: dict[bytes, tuple[int, float]] = field(default_factory=dict)

    def workspace_id(self, text: str, now: float) -> int | None:
        """The workspace that the write key `text` opens, or None. `now` is a monotonic clock's seconds."""
        digest = hashlib.sha256(text.encode(errors="replace")).digest()
        found = self.known.get(digest)
        if found is not None and now < found[1]:
            return found[0]
        self.known.pop(digest, None)
        workspace_id = _look_up(text)
        if workspace_id is not None:
            if len(self.known) >= _MOST:
                self.known.clear()
            self.known[digest] = (workspace_id, now + SECONDS)
        return workspace_id


def _look_up(text: str) -> int | None:
    credential = parse_credential(text)
    if credential is None or credential.prefix != f"{ApiKey.Scope.WRITE}_":
        return None
    return _use(credential)


def _use(credential: Credential) -> int | None:
    key = find_api_key(credential)
    if key is None:
        return None
    today = timezone.now().date()
    if key.last_used_on != today:
        with workspace_scope(key.workspace.pk):
            ApiKey.objects.filter(pk=key.pk).update(last_used_on=today)
    return key.workspace.pk
