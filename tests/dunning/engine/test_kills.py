"""Retries under workers that are killed at any moment, at a provider that commits on its own: nothing twice,
nothing lost, everything booked, and every case can tell its story.

They are killed from outside at random moments, kill themselves right after a commit, a claim or an answer, and stand
still before they write a result until another worker has their job. `test_mutants.py` proves that this sees bugs.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import BillingOrder
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from tests.dunning.engine import world
from tests.dunning.engine.draining import Drainers
from tests.fake_stripe.running import FakeStripe

DATABASES = ["default", "owner"]
pytestmark = [
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=DATABASES),
]
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


@dataclass(frozen=True)
class Ordeal:
    """What the workers go through: kills from outside, and the shares of `Drainers`.

    Without `has_notices` the workspace has put its notices away, and the workers do nothing but charge.
    """

    cases: int
    kills: int
    die: float
    freeze: float
    lost: float = 0.02
    has_notices: bool = True

    @property
    def pause(self) -> float:
        """Seconds between two kills, so that they spread over the work."""
        return 0.15 if self.cases < 1000 else 0.4


FULL = Ordeal(10_000, 200, die=0.0005, freeze=0.002, has_notices=False)


@pytest.mark.parametrize(
    "ordeal",
    [
        Ordeal(*QUICK, die=0.8 / QUICK[0], freeze=8 / QUICK[0], lost=0.05),
        pytest.param(FULL, marks=pytest.mark.soak),
    ],
)
def test_nothing_twice_and_nothing_lost(fake_stripe: FakeStripe, cast: Any, ordeal: Ordeal) -> None:
    assert judgement(fake_stripe, cast, ordeal) == {}


def judgement(fake: FakeStripe, cast: Any, ordeal: Ordeal, mutant: str = "") -> dict[str, Any]:
    """Go through it, and tell what is wrong afterwards: nothing, in a sound world."""
    drainers = Drainers(4, die=ordeal.die, freeze=ordeal.freeze, mutant=mutant, STRIPE_API_BASE=fake.url)
    seed = random.randrange(10_000)
    try:
        with workspace_scope(cast.workspace.pk):
            world.connect(per_second=30_000)
            world.no_notices()
            if not ordeal.has_notices:
                world.put_notices_away()
            world.cases_with_due_retries(world.fail(fake, PLANS, ordeal.cases), timezone.now())
        pay = "/v1/invoices/*/pay"
        fake.faults(
            {"kind": "drop_after", "path": pay, "share": ordeal.lost},
            {"kind": "delay", "path": pay, "share": ordeal.freeze, "seconds": 0.2},
            seed=seed,
        )
        began = time.monotonic()
        orphaned = go_through(drainers, fake, cast, ordeal, random.Random(seed))
        seconds = time.monotonic() - began
        with workspace_scope(cast.workspace.pk):
            report(fake, seed, ordeal, orphaned, seconds, drainers)
            return wrong(drainers, fake, ordeal, orphaned)
    finally:
        drainers.close()


def go_through(drainers: Drainers, fake: FakeStripe, cast: Any, ordeal: Ordeal, dice: random.Random) -> int:
    """Day after day until every case must be over; returns how many jobs lost their worker by a kill."""
    orphaned, passed, analyst = 0, timedelta(0), Analyst()

    def tend() -> None:
        drainers.tend()
        analyst.look()

    for number, ahead in enumerate(rounds(timezone.now())):
        fake.advance(seconds=(ahead - passed).total_seconds())
        passed = ahead
        if number:
            let_pass(cast)
        drainers.start(ahead)
        in_this = (ordeal.kills - ordeal.kills // 3, ordeal.kills // 3, 0)[number]
        orphaned += kill_often(drainers, in_this, dice, ordeal.pause, tend)
        wait_until_done(max(120.0, ordeal.cases * 0.3), tend=tend, hurry=True)
        drainers.stop()
    return orphaned


def rounds(now: datetime) -> list[timedelta]:
    """How far ahead each round is: now, then in the morning hours, in which what is late is still tried."""
    mornings = [(now + timedelta(days=day)).replace(hour=7) - now for day in ROUNDS[1:]]
    return [timedelta(0), *mornings]


# A run that proves nothing.
TOO_TAME = ("no kill hit a job in hand", "nobody died of a commit", "nobody stood still and was overtaken")


def wrong(drainers: Drainers, fake: FakeStripe, ordeal: Ordeal, orphaned: int) -> dict[str, Any]:
    """What the books, the provider's ledger and the workers themselves say."""
    noted = drainers.noted()
    too_tame = dict(zip(TOO_TAME, (not orphaned, "died" not in noted, not drainers.overtaken), strict=True))
    found = (
        world.disagreements(fake)
        | too_tame
        | {
            "cases": DunningCase.objects.count() - ordeal.cases,
            "cases that are not over": DunningCase.objects.filter(state="open").count(),
            "invoices without a charge": ordeal.cases
            - BillingOrder.objects.values("invoice").distinct().count(),
            "cases that their history does not explain": world.unexplained(),
            "parked jobs": parked(),
        }
    )
    found |= {what: times for what, times in noted.items() if what.startswith("!")}
    return {question: answer for question, answer in found.items() if answer}


class Analyst:
    """Looks at the tables as autovacuum does once a minute: here a month passes in three."""

    def __init__(self) -> None:
        self.looked_at = 0.0

    def look(self, seconds: float = 10) -> None:
        if time.monotonic() - self.looked_at < seconds:
            return
        with connections["owner"].cursor() as cursor:
            for table in LARGE:
                cursor.execute(f"ANALYZE {table}")
        self.looked_at = time.monotonic()


LARGE = [model._meta.db_table for model in world.MODELS]


def kill_often(
    drainers: Drainers, kills: int, dice: random.Random, pause: float, tend: Callable[[], None]
) -> int:
    orphaned = 0
    for _ in range(kills):
        until = time.monotonic() + dice.uniform(0, 2 * pause)
        while (left := until - time.monotonic()) > 0:
            tend()
            time.sleep(min(left, 0.01))
        orphaned += drainers.kill_one(dice)
    return orphaned


def wait_until_done(patience: float, *, tend: Callable[[], None] = lambda: None, hurry: bool = False) -> None:
    """`hurry`: once all that is left waits for its moment (2 seconds after a lost answer, 10 after the next), let
    that moment come."""
    deadline = time.monotonic() + patience
    while left := due():
        assert time.monotonic() < deadline, f"{left} jobs are still due"
        tend()
        if hurry and left < 50:
            bring_forward()
        time.sleep(0.02 if left < 50 else 0.1)


def due() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM accounts_job WHERE {OURS}")
        return int(cursor.fetchone()[0])


def bring_forward() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE accounts_job SET due_at = clock_timestamp() WHERE {OURS} AND lease_until IS NULL"
            " AND due_at > clock_timestamp() AND NOT EXISTS (SELECT FROM accounts_job other WHERE"
            " other.parked_at IS NULL AND (other.lease_until IS NOT NULL OR other.due_at <= clock_timestamp()))"
        )


OURS = (
    "parked_at IS NULL AND kind IN ('dunning.case', 'accounts.billing_order')"
    " AND due_at < clock_timestamp() + interval '2 minutes'"
)


def parked() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_job WHERE parked_at IS NOT NULL")
        return int(cursor.fetchone()[0])


def let_pass(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        world.let_pass()


def report(
    fake: FakeStripe, seed: int, ordeal: Ordeal, orphaned: int, seconds: float, drainers: Drainers
) -> None:
    stats, summary = fake.stats(), fake.summary()
    states = Counter(DunningCase.objects.values_list("state", flat=True))
    print(
        f"seed {seed}: {ordeal.cases} cases, {ordeal.kills} kills, {orphaned} orphaned, {seconds:.0f} s; noted"
        f" {drainers.noted()}, overtaken {drainers.overtaken}; provider calls"
        f" {stats['requests']}, replays by key {stats['replays']}, lost answers {stats['faults']}, charges"
        f" {summary['charges']}, doubles {len(summary['doubles'])}; cases {dict(states)},"
        f" read back {BillingOrder.objects.filter(was_read_back=True).count()}"
    )
