"""Messages as clients send them, and what became of them."""

import base64
from typing import Any

from cs_platform.lib.scoping import workspace_scope
from health.models import Event
from tests.conftest import Cast


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


def track(number: int = 0, **fields: Any) -> dict[str, Any]:
    moment = f"2026-11-0{number % 9 + 1}T10:00:00Z"
    known = {"type": "track", "event": "Report Created", "userId": "u1", "messageId": f"m{number}"}
    return {**known, "timestamp": moment, **fields}


def events(cast: Cast) -> list[Event]:
    with workspace_scope(cast.workspace.pk):
        return list(Event.objects.order_by("occurred_at"))
