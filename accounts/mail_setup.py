"""What mail registers: the way out of each mail, its pages, its work in the background."""

from __future__ import annotations

from accounts.registry import TokenPurpose, token_purposes
from accounts.services.mail_links import LIFETIME, PURPOSE


def register() -> None:
    token_purposes.register(TokenPurpose(PURPOSE, LIFETIME))
