"""The report page at 10,000 accounts with three years of movements and a night at each month's end.

The floor reads the same movements into arrays, which every tab needs.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, MrrMovement, Workspace
from accounts.queries.revenue import read_ledger
from bench.measures import Pair, measure
from bench.world import World
from cs_platform.lib.scoping import workspace_scope
from health.models import ScorecardVersion

ROUNDS = 20
FLOOR = "the movements read into arrays"

# Six changes each over three years; every ninth account leaves, every second one of these returns.
_MOVEMENTS = """
INSERT INTO accounts_mrrmovement (workspace_id, account_id, kind, occurred_at, currency, amount_minor,
    mrr_before_minor, mrr_after_minor)
SELECT workspace_id, id, kind, at, CASE WHEN id %% 10 = 0 THEN 'EUR' ELSE 'USD' END, after - before, before, after
FROM (
    SELECT a.workspace_id, a.id, k, now() - make_interval(days => 1090 - 170 * k - (a.id %% 160)::int) AS at,
        CASE k WHEN 0 THEN 'new' WHEN 5 THEN CASE WHEN a.id %% 9 = 0 THEN 'churn' ELSE 'contraction' END
            ELSE 'expansion' END AS kind,
        CASE WHEN k = 0 THEN 0 ELSE 10000 + a.id %% 90000 + 1000 * k END AS before,
        CASE WHEN k = 5 THEN CASE WHEN a.id %% 9 = 0 THEN 0 ELSE 9000 + a.id %% 90000 END
            ELSE 11000 + a.id %% 90000 + 1000 * k END AS after
    FROM accounts_account a CROSS JOIN generate_series(0, 5) k
) moved
"""
_RATES = """
INSERT INTO accounts_exchangerate (workspace_id, currency, on_date, rate)
SELECT %(workspace)s, 'EUR', current_date - 30 * k, 1.05 + k / 1000.0 FROM generate_series(0, 40) k
"""
_SCORES = """
INSERT INTO health_healthscore (workspace_id, account_id, as_of, version_id, score, band, coverage, contributions)
SELECT a.workspace_id, a.id, (date_trunc('month', now()) - make_interval(months => k))::date, %(version)s, a.id %% 101,
    CASE WHEN a.id %% 101 < 50 THEN 'red' WHEN a.id %% 101 < 75 THEN 'yellow' ELSE 'green' END, 1, '{}'
FROM accounts_account a CROSS JOIN generate_series(0, 24) k
"""


def fill(world: World) -> tuple[Workspace, Membership]:
    """Three years of movements; the owner's membership."""
    with workspace_scope(world.workspace.pk), connection.cursor() as cursor:
        values: dict[str, Any] = {"workspace": world.workspace.pk}
        values["version"] = ScorecardVersion.objects.values_list("pk", flat=True)[0]
        MrrMovement.objects.all().delete()
        for statement in (_MOVEMENTS, _RATES, _SCORES):
            cursor.execute(statement + ("" if statement is _MOVEMENTS else " ON CONFLICT DO NOTHING"), values)
        membership: Membership = Membership.objects.select_related("user", "workspace").get()
    world.tidy()
    return world.workspace, membership


def page(world: World, query: str) -> Pair:
    workspace, membership = fill(world)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(membership.user)

    def floor() -> int:
        with workspace_scope(workspace.pk):
            return int(read_ledger(workspace, now=timezone.now()).at.size)

    def work() -> int:
        response = client.get("/reports/" + query)
        assert response.status_code == 200, response.status_code
        return int(response.content.count(b"<section"))

    return Pair(floor, work, rounds=ROUNDS, extras=lambda: {"movements": floor()})


@measure("reports_revenue", floor=FLOOR, goal=1, seconds=True)
def reports_revenue(world: World) -> Pair:
    return page(World(world.postgres, name="reports1", bare=True), "?tab=revenue&months=24&compare=1")


@measure("reports_retention", floor=FLOOR, goal=1, seconds=True)
def reports_retention(world: World) -> Pair:
    return page(World(world.postgres, name="reports2", bare=True), "?tab=retention&months=24&compare=1")


@measure("reports_customers", floor=FLOOR, goal=1, seconds=True)
def reports_customers(world: World) -> Pair:
    return page(World(world.postgres, name="reports3", bare=True), "?tab=customers&months=24")
