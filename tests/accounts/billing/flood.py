"""Messages of the fake as they would be delivered, and jobs whose time is made to come."""

from __future__ import annotations

import json
from typing import Any

from accounts.models import Job, Workspace
from tests.fake_stripe.running import FakeStripe


def events_of(fake: FakeStripe) -> list[dict[str, Any]]:
    """Every message of the fake, oldest first."""
    client = fake.client()
    found = [
        event.to_dict(for_json=True) for event in client.v1.events.list({"limit": 100}).auto_paging_iter()
    ]
    return found[::-1]


def bodies_of(fake: FakeStripe) -> list[bytes]:
    return [json.dumps(event).encode() for event in events_of(fake)]


def due_now(workspace: Workspace) -> None:
    """What was put off is due."""
    Job.objects.filter(workspace=workspace).update(due_at="2026-01-01T00:00:00Z")
