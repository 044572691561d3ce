"""The fake Stripe as a real process, and handles for it: `FakeStripe.start()`, or the fixture `fake_stripe`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "sk_test_fake"
Json = dict[str, Any]


class Refused(Exception):
    """The control API said no."""


@dataclass
class FakeStripe:
    """A running fake: `url` for the product, everything else to steer it and to look into it."""

    url: str
    process: subprocess.Popen[str]
    data: Path
    api_key: str = KEY

    def client(self, api_key: str = KEY, **options: Any) -> stripe.StripeClient:
        """The real SDK, pointed here; it repeats nothing by itself."""
        options.setdefault("max_network_retries", 0)
        return stripe.StripeClient(api_key, base_addresses={"api": self.url}, **options)

    def control(self, method: str, name: str, /, **given: Any) -> Json:
        url = f"{self.url}/_fake/{name}"
        data = None
        if method == "GET":
            url += "?" + urlencode(given) if given else ""
        else:
            data = json.dumps(given).encode()
        request = urllib.request.Request(url, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                body: Json = json.load(answer)
                return body
        except urllib.error.HTTPError as error:
            raise Refused(error.read().decode()) from error

    def reset(self) -> None:
        self.control("POST", "reset")

    # --- time
    def now(self) -> int:
        now: int = self.control("GET", "clock")["now"]
        return now

    def freeze(self, now: int) -> None:
        self.control("POST", "clock", now=now)

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> int:
        """Moves the fake's clock; renewals and settlements on the way happen. Returns the new time."""
        total = int(days * 86_400 + hours * 3600 + seconds)
        now: int = self.control("POST", "clock", advance=total)["now"]
        return now

    # --- trouble
    def fault(self, kind: str, **rule: Any) -> None:
        """One rule in place of the plan: fault("drop_after", path="/v1/invoices/*/pay", share=0.2)."""
        self.faults({"kind": kind, **rule})

    def faults(self, *rules: Json, seed: int = 0) -> None:
        self.control("POST", "faults", rules=list(rules), seed=seed)

    def limits(self, **limits: Any) -> None:
        self.control("POST", "limits", **limits)

    def delivery(self, **plan: Any) -> None:
        self.control("POST", "delivery", **plan)

    def settings(self, **settings: Any) -> None:
        self.control("POST", "settings", **settings)

    def webhook(
        self, url: str, secret: str, events: list[str] | None = None, *, previous_secret: str = ""
    ) -> str:
        """Register an endpoint; returns its id. With a previous secret, both sign."""
        given = {"url": url, "secret": secret, "previous_secret": previous_secret, "events": events or ["*"]}
        return str(self.control("POST", "webhooks", **given)["id"])

    def emit(self, event_type: str, about: Any, previous: Json | None = None) -> str:
        """An event that nothing caused, about an object's id or a whole object; returns the event's id."""
        return str(self.control("POST", "events", type=event_type, object=about, previous=previous)["id"])

    def wait_delivered(self, seconds: float = 30) -> Json:
        """Until nothing is pending; returns the counts by state."""
        deadline = time.monotonic() + seconds
        while True:
            states: Json = self.control("GET", "delivery")["states"]
            if not states["pending"] and not states["sending"]:
                return states
            assert time.monotonic() < deadline, f"still waiting: {states}"
            time.sleep(0.02)

    # --- money
    def outcomes(self, plan: Any, **who: Any) -> None:
        """outcomes(["insufficient_funds", "ok"], payment_method="pm_…" | customer="cus_…" | all=True)"""
        self.control("POST", "outcomes", plan=plan, **who)

    def seed(self, count: int, **given: Any) -> Json:
        return self.control("POST", "seed", count=count, **given)

    def ledger(self, **where: Any) -> list[Json]:
        rows: list[Json] = self.control("GET", "ledger", **where)["data"]
        return rows

    def summary(self) -> Json:
        return self.control("GET", "ledger/summary")

    def requests(self, **where: Any) -> list[Json]:
        rows: list[Json] = self.control("GET", "requests", **where)["data"]
        return rows

    def stats(self) -> Json:
        return self.control("GET", "stats")

    # --- process
    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def start(data: Path, *options: str) -> FakeStripe:
    """Start the server on a free port; `data` may be a folder that an earlier one left."""
    command = [sys.executable, "-m", "fake_stripe", "--data", str(data), "--with-parent", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline().split()
    assert line[:1] == ["ready"], "the fake Stripe did not start; its reason is on stderr"
    return FakeStripe(line[1], process, data)


@contextmanager
def running(*options: str) -> Iterator[FakeStripe]:
    """A fake of one's own, for tests that kill it or need two accounts."""
    with tempfile.TemporaryDirectory(prefix="fake-stripe-") as folder:
        fake = start(Path(folder), *options)
        try:
            yield fake
        finally:
            fake.stop()
            assert fake.process.stdout is not None
            fake.process.stdout.close()


# A deleted customer has nothing to expand; the product, which cannot know, then asks for it plainly.
DELETED = "(invoice_settings.default_payment_method)"


@pytest.fixture(scope="session")
def fake_stripe_process() -> Iterator[FakeStripe]:
    with running() as fake:
        yield fake


@pytest.fixture
def fake_stripe(fake_stripe_process: FakeStripe, request: pytest.FixtureRequest) -> Iterator[FakeStripe]:
    """The session's fake, emptied for this test.

    Every request that the product sent meanwhile was held against the SDK's typed parameters; none may have been
    noted. The fake's own tests send mistakes on purpose.
    """
    fake_stripe_process.reset()
    yield fake_stripe_process
    if "fake_stripe" not in request.path.parts:
        noted = [row for row in fake_stripe_process.stats()["problems"] if DELETED not in row["problem"]]
        assert noted == [], noted
