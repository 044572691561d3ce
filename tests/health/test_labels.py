"""Outcomes: who counts as gone, when that is known, and what is never counted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.models import Account, Subscription, Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import workspace_scope
from health.queries.labels import labels
from tests.builders import make_account, make_subscription, make_workspace
from tests.health.messy import AS_OF, build

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(time_zone="Europe/Berlin")


@pytest.fixture(autouse=True)
def scope(workspace: Workspace) -> Any:
    with workspace_scope(workspace.pk):
        yield


def subscription(
    account: Account, workspace: Workspace, first: float, last: float | None, **fields: Any
) -> None:
    """From `first` to `last` days after AS_OF."""
    start = day_start(AS_OF, workspace.zone)
    make_subscription(
        account,
        external_id=f"s{Subscription.objects.count()}",
        started_at=start + first * DAY,
        ended_at=None if last is None else start + last * DAY,
        **fields,
    )


@pytest.mark.parametrize(
    ("ends", "expected"),
    [([None], 0), ([0], 1), ([29.9], 1), ([30], 0), ([-1], None), ([5, 40], 0), ([5, None], 0), ([5, 9], 1)],
)
def test_the_last_subscription_decides(
    workspace: Workspace, ends: list[float | None], expected: int | None
) -> None:
    account = make_account()
    for end in ends:
        subscription(account, workspace, -100, end)
    found = labels([AS_OF], horizon_days=30, known_until=AS_OF + 30 * DAY)
    assert found.label.tolist() == ([] if expected is None else [expected])


def test_a_switch_without_a_gap_is_no_end_but_a_return_later_is(workspace: Workspace) -> None:
    switched, returned = make_account("Switched"), make_account("Returned")
    for account, gap in ((switched, 0), (returned, 3)):
        subscription(account, workspace, -100, 5)
        subscription(account, workspace, 5 + gap, None)
    found = labels([AS_OF], horizon_days=30, known_until=AS_OF + 90 * DAY)
    assert dict(zip(found.account_ids.tolist(), found.label.tolist(), strict=True)) == {
        switched.pk: 0,
        returned.pk: 1,
    }
    later = labels([AS_OF + 10 * DAY], horizon_days=30, known_until=AS_OF + 90 * DAY)
    assert later.label.tolist() == [0, 0]


def test_a_horizon_that_is_not_over_gives_no_rows(workspace: Workspace) -> None:
    subscription(make_account(), workspace, -100, 2)
    assert labels([AS_OF], horizon_days=30, known_until=AS_OF + 29 * DAY).label.size == 0
    assert labels([AS_OF], horizon_days=30, known_until=AS_OF + 30 * DAY).label.tolist() == [1]


def test_the_cause_is_that_of_the_end_that_left_nothing(workspace: Workspace) -> None:
    causes = {}
    for name, (first, second) in {
        "v": ("involuntary", "voluntary"),
        "i": ("voluntary", "involuntary"),
        "u": ("voluntary", ""),
    }.items():
        account = make_account(name)
        subscription(account, workspace, -100, 4, ended_cause=first)
        subscription(account, workspace, -50, 8, ended_cause=second)
        causes[account.pk] = {"v": 1, "i": 2, "u": 0}[name]
    found = labels([AS_OF], horizon_days=30, known_until=AS_OF + 30 * DAY)
    assert dict(zip(found.account_ids.tolist(), found.kind.tolist(), strict=True)) == causes


@pytest.mark.parametrize("seed", range(5))
def test_islands_agree_with_asking_every_moment(workspace: Workspace, seed: int) -> None:
    build(seed, workspace)
    days = [AS_OF - timedelta(days=back) for back in (200, 120, 61, 33)]
    found = labels(days, horizon_days=30, known_until=AS_OF)
    rows = zip(found.account_ids.tolist(), found.as_of.tolist(), found.label.tolist(), strict=True)
    assert {(account, day): label for account, day, label in rows} == slow_labels(days, workspace)


def slow_labels(days: list[date], workspace: Workspace) -> dict[tuple[int, int], int]:
    found = {}
    for day in days:
        now, then = day_start(day, workspace.zone), day_start(day + 30 * DAY, workspace.zone)
        for account in Account.objects.all():
            spans = [(s.started_at, s.ended_at) for s in account.subscriptions.all()]
            if any(start < now and (end is None or end >= now) for start, end in spans):
                ends = [end for _start, end in spans if end and now <= end < then]
                gone = any(not any(s <= end and (e is None or e > end) for s, e in spans) for end in ends)
                found[(account.pk, day.toordinal())] = int(gone)
    return found
