from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.dunning.engine import world
from tests.dunning.engine.draining import Drainers
from tests.fake_stripe.running import FakeStripe


class Shop:
    """A workspace that is connected to the fake Stripe; its worker runs in the test's own thread."""

    def __init__(self, fake: FakeStripe, cast: Any) -> None:
        self.fake, self.cast = fake, cast

    def scope(self) -> Any:
        return workspace_scope(self.cast.workspace.pk)

    def fail(self, *plans: Any, count: int = 1) -> Any:
        """Invoices whose first charge failed, one per plan and round."""
        with self.scope():
            return world.fail(self.fake, plans, count)

    def due_retries(self, *plans: Any, count: int) -> Any:
        """Cases whose first retry is due now."""
        with self.scope():
            invoices = world.fail(self.fake, plans, count)
            world.cases_with_due_retries(invoices, timezone.now())
            return invoices

    def work(self, rounds: int = 1) -> int:
        """Everything that waits is due now, and done; so often."""
        done = 0
        for _ in range(rounds):
            with self.scope():
                world.let_pass()
            done += run_due_jobs(limit=100_000)
        return done

    def charge_once(self, count: int) -> None:
        """Every due retry is ordered and its call made once, whatever comes of it."""
        with self.scope():
            world.let_pass()
        run_due_jobs(limit=count, kind="dunning.case")
        run_due_jobs(limit=count, kind="accounts.billing_order")

    def charge_posts(self) -> list[dict[str, Any]]:
        found = self.fake.requests(path="/v1/invoices/*/pay", method="POST", limit=1_000_000)
        return list(found)

    def later(self, **delta: float) -> Any:
        """Both clocks go ahead."""
        self.fake.advance(seconds=timedelta(**delta).total_seconds())
        return time_machine.travel(timezone.now() + timedelta(**delta), tick=True)

    def morning(self, *, days: int) -> Any:
        """Both clocks go ahead to the hours of that day in which retries are made."""
        now = timezone.now()
        wanted = (now + timedelta(days=days)).replace(hour=7, minute=0)
        return self.later(seconds=(wanted - now).total_seconds())


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        world.connect(per_second=30_000)
        world.no_notices()
    return Shop(fake_stripe, cast)


@pytest.fixture
def drainers(fake_stripe: FakeStripe, transactional_db: None) -> Iterator[Drainers]:
    made = Drainers(4, STRIPE_API_BASE=fake_stripe.url)
    yield made
    made.close()


@pytest.fixture
def clock() -> Iterator[Callable[[datetime], None]]:
    """Set the product's clock; it runs on from there."""
    running: list[time_machine.travel] = []

    def set_to(moment: datetime) -> None:
        while running:
            running.pop().stop()
        moved = time_machine.travel(moment, tick=True)
        moved.start()
        running.append(moved)

    yield set_to
    while running:
        running.pop().stop()
