"""Messages of the fake as they would be delivered, and jobs whose time is made to come."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from accounts.models import Job, Workspace
from accounts.services.billing_inbox import MESSAGE_JOB
from accounts.services.billing_syncs import SYNC_JOB
from accounts.services.jobs import run_due_jobs
from tests.fake_stripe.running import FakeStripe


def events_of(fake: FakeStripe) -> list[dict[str, Any]]:
    """Every message of the fake, oldest first. As they come: the SDK's objects take a minute for some thousand."""
    client, found, more = fake.client(), list[dict[str, Any]](), {}
    while True:
        page = client.raw_request("get", "/v1/events", limit=100, **more).data
        found += page["data"]
        if not page["has_more"]:
            return [dict(one) for one in reversed(found)]
        more = {"starting_after": found[-1]["id"]}


def bodies_of(fake: FakeStripe) -> list[bytes]:
    return [json.dumps(event).encode() for event in events_of(fake)]


def due_now(workspace: Workspace) -> None:
    """What was put off is due."""
    Job.objects.filter(workspace=workspace).update(due_at="2026-01-01T00:00:00Z")


def _is_put_off() -> bool:
    """Whether a message waits for another worker, which is a matter of a moment. Waits for that moment."""
    soon = timezone.now() + timedelta(seconds=3)
    is_soon: bool = Job.objects.filter(kind=MESSAGE_JOB, parked_at__isnull=True, due_at__lt=soon).exists()
    time.sleep(0.05 if is_soon else 0)
    return is_soon


def drain(workers: int = 1) -> None:
    """Several workers at once, until no message and no walk is due; what follows from them is left alone."""

    def work() -> None:
        while sum(run_due_jobs(limit=100, kind=kind) for kind in (MESSAGE_JOB, SYNC_JOB)) or _is_put_off():
            pass
        if workers > 1:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    if workers == 1:
        work()
        return
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
