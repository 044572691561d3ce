"""The only code that hands a message to a receiver: signed the Standard Webhooks way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from cs_platform.lib import http

PREFIX = "whsec_"


class WebhookError(RuntimeError):
    """Not taken. `permanent`: the receiver said that it is gone for good (410)."""

    def __init__(self, code: str, *, permanent: bool = False, status: int = 0, seconds: float = 0.0) -> None:
        super().__init__(code)
        self.code, self.permanent, self.status, self.seconds = code, permanent, status, seconds


@dataclass(frozen=True)
class Taken:
    status: int
    seconds: float


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64, as the Standard Webhooks specification has it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, moment: int, body: bytes) -> str:
    """`v1,` and the base64 HMAC-SHA256 over "id.timestamp.body" (Standard Webhooks, section on signatures)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def deliver(url: str, *, message_id: str, body: bytes, keys: Sequence[str], now: datetime) -> Taken:
    """POST once; any 2xx is taken. The id stays the same over all tries, so that a receiver can drop doubles."""
    moment = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signature(key, message_id, moment, body) for key in keys),
    }
    try:
        answer = http.post(url, body, headers)
    except http.OutgoingError as error:
        raise WebhookError(error.code) from error
    if not 200 <= answer.status < 300:
        gone = answer.status == HTTPStatus.GONE
        raise WebhookError(
            f"status_{answer.status}", permanent=gone, status=answer.status, seconds=answer.seconds
        )
    return Taken(answer.status, answer.seconds)
