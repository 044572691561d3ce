"""Random credentials that name their workspace: `<prefix><workspace>.<secret>`.

The workspace part lets a request open its scope before the look-up; only a hash of the
256-bit secret is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Credential:
    """`workspace` is the workspace's public id; `secret` the random part, never stored."""

    workspace: uuid.UUID
    secret: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{self.prefix}{self.workspace.hex}.{self.secret}"

    @property
    def digest(self) -> bytes:
        return digest(self.secret)


def new_credential(workspace: uuid.UUID, prefix: str = "") -> Credential:
    return Credential(workspace, secrets.token_urlsafe(32), prefix)


def parse_credential(text: str) -> Credential | None:
    """The credential in `text` (`[prefix_]<32 hex>.<secret>`), or None when it has another shape."""
    head, dot, secret = text.partition(".")
    prefix, underscore, hexes = head.rpartition("_")
    if not dot or len(hexes) != 32 or not 20 <= len(secret) <= 100:
        return None
    try:
        workspace = uuid.UUID(hex=hexes)
    except ValueError:
        return None
    return Credential(workspace, secret, prefix + underscore)


def digest(secret: str) -> bytes:
    """SHA-256; enough for 256-bit random secrets, which cannot be guessed from a list."""
    return hashlib.sha256(secret.encode()).digest()


def same(left: bytes | memoryview, right: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(bytes(left), right)
