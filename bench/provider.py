"""The fake Stripe beside the benchmark, and the workspace that it sends its messages to."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
import urllib.request
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import (
    BillingConnection,
    BillingCustomer,
    BillingMessage,
    Invoice,
    Job,
    MrrMovement,
    PaymentAttempt,
    Subscription,
)
from accounts.services.billing_inbox import store
from bench.world import World
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope

KEY = "sk_test_fake"
PLANS = [["ok"], ["insufficient_funds", "ok"], ["stolen_card"], ["ok", "insufficient_funds"]]
Json = dict[str, Any]


class Provider:
    """A fake Stripe with customers whose cards fail in several ways, and what it told about them so far."""

    def __init__(self, world: World, customers: int) -> None:
        self.world = World(world.postgres, name="inbox", accounts=1, bare=True)
        self.url = _start()
        settings.STRIPE_API_BASE = self.url
        _post(f"{self.url}/_fake/seed", count=customers, plans=PLANS, subscriptions=True)
        self.messages = self._told()
        with workspace_scope(self.workspace_id):
            # Its own pace is what a large company waits for; here the work itself is measured.
            BillingConnection.objects.create(
                api_key=KEY,
                webhook_secret="whsec_bench",
                connected_at=timezone.now(),
                calls_per_second=32_000,
            )

    @property
    def workspace_id(self) -> int:
        return int(self.world.workspace.pk)

    def _told(self) -> list[Json]:
        """Every message, oldest first."""
        found: list[Json] = []
        while True:
            after = f"&starting_after={found[-1]['id']}" if found else ""
            page = get(f"{self.url}/v1/events?limit=100{after}")
            found += page["data"]
            if not page["has_more"]:
                return found[::-1]

    def forget(self) -> None:
        """Nothing of the provider is here any more."""
        with workspace_scope(self.workspace_id):
            for model in (
                BillingMessage,
                PaymentAttempt,
                Invoice,
                MrrMovement,
                Subscription,
                BillingCustomer,
            ):
                model._default_manager.all().delete()
        Job.objects.filter(workspace_id=self.workspace_id).delete()

    def deliver(self, messages: list[Json]) -> None:
        """Store them with their jobs, each at its own moment; many in one transaction, as this is not measured."""
        with workspace_scope(self.workspace_id):
            for message in messages:
                store(message, received_at=database_now())

    def mirrored(self) -> tuple[int, ...]:
        """How much of the provider is here, and how many messages wait."""
        with workspace_scope(self.workspace_id):
            waiting = BillingMessage.objects.filter(processed_at__isnull=True, parked_at__isnull=True).count()
            models = (BillingCustomer, Subscription, Invoice, PaymentAttempt)
            return (*(model._default_manager.count() for model in models), waiting)


def get(url: str) -> Json:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: Json = json.load(answer)
        return found


def _post(url: str, **given: Any) -> None:
    request = urllib.request.Request(url, data=json.dumps(given).encode(), method="POST")
    urllib.request.urlopen(request, timeout=600).close()


def _start() -> str:
    folder = tempfile.TemporaryDirectory(prefix="bench-stripe-")
    command = [sys.executable, "-m", "fake_stripe", "--data", folder.name, "--with-parent"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def stop() -> None:
        process.terminate()
        process.wait(10)
        folder.cleanup()

    atexit.register(stop)
    assert process.stdout is not None
    return process.stdout.readline().split()[1]
