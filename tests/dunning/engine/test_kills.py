"""Retries under workers that are killed at any moment, at a provider that commits on its own: nothing twice,
nothing lost, everything booked, and every case can tell its story."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import BillingOrder
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from tests.dunning.engine import world
from tests.dunning.engine.draining import Drainers
from tests.fake_stripe.running import FakeStripe

pytestmark = [pytest.mark.worker, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# DUNNING_KILLS="1000 20" sets cases and kills of the quick form.
QUICK = tuple(int(word) for word in os.environ.get("DUNNING_KILLS", "80 6").split())
# The first step is the failure that opens the case.
PLANS = [
    ["insufficient_funds", "ok"],
    ["insufficient_funds", "ok"],
    ["generic_decline", "ok"],
    ["insufficient_funds", "generic_decline", "ok"],
    ["generic_decline", "insufficient_funds", "lost_card"],
    ["processing_error", "expired_card"],
    ["insufficient_funds", "3ds"],
    ["generic_decline"],
]
# Days on which everything that is due is done; the last one is behind the end of every case.
ROUNDS = (0, 6, 29)
LOST_ANSWERS = 0.02


@pytest.fixture
def drainers(fake_stripe: FakeStripe, transactional_db: None) -> Iterator[Drainers]:
    made = Drainers(4, STRIPE_API_BASE=fake_stripe.url)
    yield made
    made.close()


@pytest.mark.parametrize(("count", "kills"), [QUICK, pytest.param(10_000, 200, marks=pytest.mark.soak)])
def test_nothing_twice_and_nothing_lost(
    drainers: Drainers, fake_stripe: FakeStripe, cast: Any, count: int, kills: int
) -> None:
    seed = random.randrange(10_000)
    dice = random.Random(seed)
    with workspace_scope(cast.workspace.pk):
        world.connect(per_second=30_000)
        world.no_notices()
        world.cases_with_due_retries(world.fail(fake_stripe, PLANS, count), timezone.now())
    fake_stripe.faults({"kind": "drop_after", "path": "/v1/invoices/*/pay", "share": LOST_ANSWERS}, seed=seed)
    began, orphaned, passed, pause = time.monotonic(), 0, 0, pause_of(count)
    for number, day in enumerate(ROUNDS):
        fake_stripe.advance(days=day - passed)
        passed = day
        if number:
            let_pass(cast)
        drainers.start(timedelta(days=day))
        in_this = (kills - kills // 3, kills // 3, 0)[number]
        orphaned += kill_often(drainers, in_this, dice, pause)
        wait_until_done(patience=max(120.0, count * 0.1))
        drainers.stop()
    seconds = time.monotonic() - began
    with workspace_scope(cast.workspace.pk):
        report(fake_stripe, seed, count, kills, orphaned, seconds)
        assert orphaned, "no kill hit a job in hand: the run proves nothing"
        assert world.disagreements(fake_stripe) == {}
        assert not DunningCase.objects.filter(state="open").exists()
        assert DunningCase.objects.count() == count
        assert BillingOrder.objects.values("invoice").distinct().count() == count
        assert world.unexplained() == []
        assert not parked()


def pause_of(count: int) -> float:
    """Seconds between two kills, so that they spread over the work."""
    return 0.15 if count < 1000 else 0.4


def kill_often(drainers: Drainers, kills: int, dice: random.Random, pause: float) -> int:
    orphaned = 0
    for _ in range(kills):
        time.sleep(dice.uniform(0, 2 * pause))
        orphaned += drainers.kill_one(dice)
    return orphaned


def wait_until_done(patience: float) -> None:
    deadline = time.monotonic() + patience
    while due():
        assert time.monotonic() < deadline, f"{due()} jobs are still due"
        time.sleep(0.1)


def due() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM accounts_job WHERE parked_at IS NULL AND kind IN ('dunning.case',"
            " 'accounts.billing_order') AND due_at < clock_timestamp() + interval '2 minutes'"
        )
        return int(cursor.fetchone()[0])


def parked() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_job WHERE parked_at IS NOT NULL")
        return int(cursor.fetchone()[0])


def let_pass(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        world.let_pass()


def report(fake: FakeStripe, seed: int, count: int, kills: int, orphaned: int, seconds: float) -> None:
    stats, summary = fake.stats(), fake.summary()
    states = Counter(DunningCase.objects.values_list("state", flat=True))
    print(
        f"seed {seed}: {count} cases, {kills} kills, {orphaned} orphaned, {seconds:.0f} s; provider calls"
        f" {stats['requests']}, replays by key {stats['replays']}, lost answers {stats['faults']}, charges"
        f" {summary['charges']}, doubles {len(summary['doubles'])}; cases {dict(states)},"
        f" read back {BillingOrder.objects.filter(was_read_back=True).count()}"
    )
