"""The queue page, everybody's queue sorted by expected loss, against its own template from ready dataclasses.

Every account has an open item, so the page reads from a queue as long as the workspace.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import Membership
from bench.measures import Pair, measure
from bench.world import World
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.models import QueueEntry
from health.queries.queue import queue_page
from health.queries.queue_filter import QueueFilter
from health.views.queue import list_context

HOST = "127.0.0.1"

_STATES = """
INSERT INTO health_accountstate (workspace_id, account_id, as_of, is_customer, name, plan, industry, country, arr_minor,
    list_arr_minor, currency, health_score, health_band, health_change, coverage, churn_probability,
    expected_loss_minor, urgency, renews_at, sparkline, events_total, lifecycle)
SELECT workspace_id, id, %(as_of)s, true, name, 'Growth', industry, country, 100000 + id %% 9000000, 0, 'USD',
    id %% 101, CASE WHEN id %% 101 < 50 THEN 'red' WHEN id %% 101 < 75 THEN 'yellow' ELSE 'green' END, -3, 0.9,
    (id %% 1000) / 1000.0, (id %% 1000) * (1000 + id %% 9000), 1.2, now() + interval '50 days',
    ARRAY[60, 58, 57, 61, 66, 70, 64, 60, 55, 51, 50, 48]::float8[], 100, ''
FROM accounts_account ON CONFLICT DO NOTHING
"""
_ITEMS = """
INSERT INTO health_queueitem (workspace_id, public_id, account_id, source, severity, evidence, opened_on)
SELECT workspace_id, gen_random_uuid(), id, source, severity, evidence::jsonb, %(as_of)s
FROM accounts_account CROSS JOIN (VALUES
    ('risk:gone_quiet', 3, '{"days_since_last_seen": 19}'), ('risk:usage_dropped', 2, '{"usage_change_28": -41}')
) causes (source, severity, evidence) ON CONFLICT DO NOTHING
"""
_ENTRIES = """
INSERT INTO health_queueentry (workspace_id, account_id, has_arr, expected_loss_minor, severity, items, opened_on)
SELECT workspace_id, account_id, true, expected_loss_minor, 3, 2, %(as_of)s FROM health_accountstate
ON CONFLICT DO NOTHING
"""


def fill(world: World) -> Membership:
    """A row of the queue for every account; the owner's membership."""
    with workspace_scope(world.workspace.pk), connection.cursor() as cursor:
        for statement in (_STATES, _ITEMS, _ENTRIES):
            cursor.execute(statement, {"as_of": world.as_of})
        membership: Membership = Membership.objects.select_related("user", "workspace").get()
    world.tidy()
    return membership


def ready(membership: Membership, path: str) -> tuple[Any, dict[str, Any]]:
    """A request and the context of its page, with every row read."""
    request: Any = RequestFactory(SERVER_NAME=HOST).get(path)
    request.user, request.membership, request.memberships = membership.user, membership, [membership]
    request.session, request.htmx = {}, False
    context = list_context(request, request.GET, here=path)
    context["members"], context["saved_views"] = list(context["members"]), []
    return request, context


def compare(membership: Membership, path: str) -> Pair:
    client = Client(SERVER_NAME=HOST)
    client.force_login(membership.user)
    with workspace_scope(membership.workspace.pk):
        request, context = ready(membership, path)

    def floor() -> int:
        return render_to_string("health/queue.html", context, request).count("data-row")

    def work() -> int:
        return client.get(path).content.count(b"data-row")

    if floor() != work() or not work():
        raise RuntimeError(f"{path} shows other rows than its template from ready dataclasses")
    return Pair(floor, work, agree=True)


@measure("queue_page", floor="the same template from ready dataclasses", goal=1.5)
def queue_first_page(world: World) -> Pair:
    return compare(fill(world), "/queue/")


@measure("queue_page_deep", floor="the same template from ready dataclasses", goal=1.5)
def queue_deep_page(world: World) -> Pair:
    """A page from the middle of the queue."""
    membership = fill(world)
    with workspace_scope(membership.workspace.pk):
        rows = QueueEntry.objects.order_by("-has_arr", "-expected_loss_minor", "-account_id")
        middle = rows[world.accounts // 2]
        cursor = QueueFilter(csm="all").order.cursor(middle)
        wanted = QueueFilter(csm="all", after=cursor)
        assert queue_page(
            wanted, membership=membership, today=local_day(timezone.now(), membership.workspace.zone)
        ).rows
    return compare(membership, f"/queue/?after={cursor}")
