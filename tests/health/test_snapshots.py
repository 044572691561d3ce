"""Snapshots: the one statement against plain Python, and what must never change them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import Contact, Import, Subscription, SubscriptionChange, Ticket, Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.shards import Shard
from health.metrics.catalogue import known_positions
from health.models import AccountDay, AccountSnapshot, NightRun, RunStatus, UsageRollup
from health.services.snapshots import is_fresh, rebuild_days, take_snapshots
from health.services.training import build_history
from tests.builders import make_account, make_subscription, make_workspace
from tests.health.messy import AS_OF, build
from tests.health.slow_metrics import SlowMetrics

pytestmark = pytest.mark.django_db


def snapshots(as_of: date) -> dict[int, dict[str, float | None]]:
    places = known_positions()
    rows = AccountSnapshot.objects.filter(as_of=as_of)
    return {row.account_id: {key: row.values[at] for key, at in places.items()} for row in rows}


def agree(found: dict[int, dict[str, float | None]], expected: dict[int, dict[str, float | None]]) -> None:
    assert found.keys() == expected.keys()
    for account_id, values in expected.items():
        assert found[account_id].keys() == values.keys()
        for name, value in values.items():
            want = None if value is None else pytest.approx(value, abs=1e-6)
            assert found[account_id][name] == want, (account_id, name)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Santiago", "Asia/Seoul"])
@pytest.mark.parametrize("seed", range(2))
def test_every_metric_agrees_with_plain_python(seed: int, zone: str) -> None:
    workspace = make_workspace(time_zone=zone)
    with workspace_scope(workspace.pk):
        build(seed, workspace)
        for as_of in (AS_OF, AS_OF - timedelta(days=61)):
            take_snapshots(as_of=as_of)
            agree(snapshots(as_of), SlowMetrics(workspace, as_of).all())


def test_the_past_does_not_know_for_how_long_the_mirror_was_renewed(workspace: Workspace) -> None:
    """Who left keeps the date of the last term, who stayed has moved on: the difference would be the answer."""
    start = day_start(date(2025, 3, 10), workspace.zone)
    with workspace_scope(workspace.pk):
        stayed, left = (make_account(name) for name in ("Stayed", "Left"))
        make_subscription(
            stayed, started_at=start, renews_at=day_start(date(2027, 3, 10), workspace.zone), term_months=12
        )
        make_subscription(
            left,
            started_at=start,
            ended_at=day_start(date(2026, 6, 1), workspace.zone),
            renews_at=None,
            term_months=12,
        )
        days = {}
        for is_rebuilt in (True, False):
            take_snapshots(as_of=date(2025, 12, 10), is_rebuilt=is_rebuilt)
            found = snapshots(date(2025, 12, 10))
            days[is_rebuilt] = [found[account.pk]["days_to_renewal"] for account in (stayed, left)]
        assert days == {True: [90, 90], False: [455, 90]}


def test_no_data_is_not_zero(workspace: Workspace) -> None:
    now = day_start(AS_OF, workspace.zone)
    with workspace_scope(workspace.pk):
        silent, busy = (
            make_account(name, created_at=now - timedelta(days=300)) for name in ("Silent", "Busy")
        )
        for account in (silent, busy):
            make_subscription(account, started_at=now - timedelta(days=300))
        take_snapshots(as_of=AS_OF)
        unknown = snapshots(AS_OF)[silent.pk]
        names = ("active_days_28", "mau", "events_28", "open_tickets", "failed_payments_90", "contacts_count")
        assert [unknown[name] for name in names] == [None] * 6
        AccountDay.objects.create(
            account=busy,
            day=AS_OF - timedelta(days=3),
            events=1,
            quantity=1,
            active_contacts=1,
            distinct_names=1,
        )
        Ticket.objects.create(account=busy, external_id="t", opened_at=now - timedelta(days=1))
        take_snapshots(as_of=AS_OF)
        found = snapshots(AS_OF)[silent.pk]
        assert [found[name] for name in names] == [0, 0, 0, 0, None, None]
        AccountDay.objects.update(
            active_contacts=0
        )  # events that name nobody, as those of a machine or an export
        take_snapshots(as_of=AS_OF)
        assert [snapshots(AS_OF)[busy.pk][name] for name in ("events_28", "mau", "licence_utilisation")] == [
            1,
            None,
            None,
        ]
        assert found["days_since_last_seen"] is None
        assert found["usage_change_28"] is None  # three days of tracking are no two periods


def test_rebuilt_renewals_step_whole_terms(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        build(7, workspace)
        take_snapshots(as_of=AS_OF, is_rebuilt=True)
        agree(snapshots(AS_OF), SlowMetrics(workspace, AS_OF, is_rebuilt=True).all())


def test_shards_add_up_to_the_whole(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        build(5, workspace)
        whole = take_snapshots(as_of=AS_OF)
        expected = snapshots(AS_OF)
        AccountSnapshot.objects.all().delete()
        assert sum(take_snapshots(as_of=AS_OF, shard=Shard(i, 3)) for i in range(3)) == whole
        assert snapshots(AS_OF) == expected


@pytest.mark.parametrize("seed", range(3))
def test_later_facts_change_nothing(seed: int, workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        build(seed, workspace)
        take_snapshots(as_of=AS_OF, is_rebuilt=True)
        before = snapshots(AS_OF)
        add_later_facts(day_start(AS_OF, workspace.zone))
        take_snapshots(as_of=AS_OF, is_rebuilt=True)
        assert snapshots(AS_OF) == before


def add_later_facts(now: object) -> None:
    """Everything that can still happen to what stands at that moment, and things of its own."""
    Ticket.objects.filter(closed_at__isnull=True).update(closed_at=now)
    Contact.objects.filter(left_at__isnull=True).update(left_at=now)
    Subscription.objects.filter(ended_at__isnull=True, started_at__lte=now).update(
        ended_at=now, ended_reason="other", ended_cause="voluntary"
    )
    for subscription in list(Subscription.objects.all()):
        later = now + timedelta(days=7)
        SubscriptionChange.objects.create(
            subscription=subscription,
            effective_at=later,
            known_at=now,
            mrr_minor=1,
            currency="USD",
            billing_interval="year",
        )
        account = subscription.account
        Ticket.objects.create(
            account=account, external_id=f"later-{subscription.pk}", opened_at=now, priority="urgent"
        )
        AccountDay.objects.update_or_create(
            account=account,
            day=AS_OF + timedelta(days=1),
            defaults={"events": 999, "quantity": 1, "active_contacts": 9, "distinct_names": 1},
        )
        UsageRollup.objects.update_or_create(
            account=account, day=AS_OF, name="Export", defaults={"events": 999, "quantity": 1}
        )


def test_an_end_at_the_first_instant_is_not_known_yet(workspace: Workspace) -> None:
    now = day_start(AS_OF, workspace.zone)
    with workspace_scope(workspace.pk):
        ends_now = make_subscription(make_account("Now"), started_at=now - timedelta(days=9), ended_at=now)
        ended = make_subscription(
            make_account("Before"), started_at=now - timedelta(days=9), ended_at=now - timedelta(seconds=1)
        )
        starts_now = make_subscription(make_account("New"), started_at=now)
        take_snapshots(as_of=AS_OF)
        found = {key: values["subscriptions"] for key, values in snapshots(AS_OF).items()}
        assert found == {ends_now.account_id: 1, ended.account_id: 0}
        assert starts_now.account_id not in found


def test_a_finished_night_is_never_rewritten(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        account = make_account()
        make_subscription(account, started_at=day_start(AS_OF, workspace.zone) - timedelta(days=3))
        take_snapshots(as_of=AS_OF)
        Ticket.objects.create(
            account=account,
            external_id="late",
            opened_at=day_start(AS_OF - timedelta(days=2), workspace.zone),
        )
        assert take_snapshots(as_of=AS_OF) == 1  # the night is still open: redone
        assert snapshots(AS_OF)[account.pk]["tickets_28"] == 1
        NightRun.objects.create(as_of=AS_OF, status=RunStatus.DONE)
        Ticket.objects.all().delete()
        assert take_snapshots(as_of=AS_OF) == 0
        assert take_snapshots(as_of=AS_OF, is_rebuilt=True) == 0
        assert snapshots(AS_OF)[account.pk]["tickets_28"] == 1


def test_places_are_kept_when_a_metric_goes_and_comes_back(workspace: Workspace) -> None:
    from health.models import KeyFeature

    with workspace_scope(workspace.pk):
        make_subscription(make_account(), started_at=day_start(AS_OF, workspace.zone) - timedelta(days=3))
        first = KeyFeature.objects.create(name="Export")
        take_snapshots(as_of=AS_OF - timedelta(days=1))
        places = known_positions()
        first.delete()
        KeyFeature.objects.create(name="100% 'quoted' %(name)s")
        take_snapshots(as_of=AS_OF)
        assert {key: at for key, at in known_positions().items() if key in places} == places
        assert "feature:100% 'quoted' %(name)s" in known_positions()
        assert AccountSnapshot.objects.get(as_of=AS_OF).values[places["feature:Export"]] is None


def test_a_rebuild_goes_on_where_it_stopped(workspace: Workspace) -> None:
    days = rebuild_days(AS_OF - timedelta(days=21), AS_OF)
    with workspace_scope(workspace.pk):
        make_subscription(make_account(), started_at=day_start(AS_OF, workspace.zone) - timedelta(days=300))
        take_snapshots(as_of=days[1], is_rebuilt=True)
        take_snapshots(as_of=days[2])  # a live one stays
        assert [is_fresh(day) for day in days] == [False, True, True, False]
        build_history(days)
        assert [is_fresh(day) for day in days] == [True] * 4
        taken = AccountSnapshot.objects.values_list("as_of", "is_rebuilt").order_by("as_of")
        assert list(taken) == list(zip(days, [True, True, False, True], strict=True))
        Import.objects.create(
            kind="tickets", status="done", finished_at=timezone.now() + timedelta(seconds=1)
        )
        assert [is_fresh(day) for day in days] == [False, False, True, False]


def test_days_of_a_rebuild_end_on_the_last_day() -> None:
    assert rebuild_days(date(2026, 1, 1), date(2026, 1, 20)) == [
        date(2026, 1, 6),
        date(2026, 1, 13),
        date(2026, 1, 20),
    ]
    assert rebuild_days(date(2026, 2, 1), date(2026, 1, 20)) == []
    with pytest.raises(ValueError, match="at least 1"):
        rebuild_days(date(2026, 1, 1), date(2026, 1, 20), 0)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(time_zone="Europe/Berlin")
