"""Secrets of workspaces at rest: encrypted with a key that the database never sees.

`FIELD_ENCRYPTION_KEY` holds one key or several, comma-separated, newest first: all of them read,
the first one writes. After a new key was put in front, `manage.py rotate_field_key` writes every
row anew, and the old key can go.
"""

from __future__ import annotations

import functools
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UnreadableSecret(RuntimeError):
    """None of the keys reads this secret: it was written with a key that is not there any more."""


def encrypt(text: str) -> str:
    """AES-128-CBC with HMAC-SHA256 (Fernet), as printable text."""
    return _box(settings.FIELD_ENCRYPTION_KEY).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises UnreadableSecret when no key fits or the token was altered."""
    try:
        return _box(settings.FIELD_ENCRYPTION_KEY).decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret("no key of FIELD_ENCRYPTION_KEY reads this secret") from None


@functools.lru_cache(maxsize=4)
def _box(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.strip().encode()) for key in keys.split(",") if key.strip()])


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text in Python, ciphertext in the database. Cannot be searched; empty stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return encrypt(text) if text else text

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return decrypt(value) if value else value
