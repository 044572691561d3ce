"""What the words of one mail are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import Contact, OutboundEmail, User, Workspace


@dataclass(frozen=True)
class About:
    """A person, who writes to them, and when. `extra` holds values that the asker knows, by placeholder;
    `email` is None in a preview, where links lead nowhere."""

    contact: Contact
    workspace: Workspace
    language: str
    now: datetime
    sender: User | None = None
    email: OutboundEmail | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
