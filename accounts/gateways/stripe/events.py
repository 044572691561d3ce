"""The proof that a message is Stripe's: HMAC-SHA256 over its time and its raw body.

An own check, because the SDK's takes a time in the future: whoever once saw a message with a forged clock could
play it back for ever.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

TOLERANCE_SECONDS = 300
_MOST_SIGNATURES = 10
NO_FIT, OTHER_TIME = "no signature fits", "too old or from the future"


class BadSignature(Exception):
    """Not proven to be Stripe's, or no message at all; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(body: bytes, header: str, secrets: Iterable[str], now: datetime) -> dict[str, Any]:
    """The message, if one of the secrets signed exactly this body within five minutes of now, either way.

    `header` is Stripe-Signature: "t=1712000000,v1=…,v1=…". Raises BadSignature.
    """
    stamp, given = _parts(header)
    keys = [secret.encode() for secret in secrets if secret]
    signed = f"{stamp}.".encode() + body
    expected = [hmac.new(key, signed, hashlib.sha256).hexdigest().encode() for key in keys]
    # Every pair is compared, so that the time tells nothing of which one was near.
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    if not any(matches):
        raise BadSignature(NO_FIT)
    if abs(now.timestamp() - stamp) > TOLERANCE_SECONDS:
        raise BadSignature(OTHER_TIME)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise BadSignature("no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("id"), str):
        raise BadSignature("no message")
    return message


def sign(body: bytes, secret: str, at: datetime) -> str:
    """The header that Stripe would send; for simulators and tests."""
    stamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def _parts(header: str) -> tuple[int, list[bytes]]:
    stamp: int | None = None
    given: list[bytes] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isdecimal() and len(value) < 12 and stamp is None:
            stamp = int(value)
        elif name == "v1" and len(given) < _MOST_SIGNATURES:
            given.append(value.encode())
    if stamp is None or not given:
        raise BadSignature("no signature")
    return stamp, given
