"""Features: the same numbers as the snapshots, texts as levels known on the day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from accounts.models import AccountTrait, Plan, SubscriptionChange, TraitDefinition, Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import workspace_scope
from health.metrics.catalogue import known_positions
from health.models import AccountSnapshot
from health.queries.features import feature_frame, training_table
from health.services.snapshots import take_snapshots
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


def level(frame: Any, name: str, account_id: int, day: Any = AS_OF) -> Any:
    """The text (or number) of one cell; None where missing."""
    at = frame.matrix.names.index(name)
    row = np.flatnonzero((frame.account_ids == account_id) & (frame.as_of == day.toordinal()))[0]
    value = frame.matrix.values[row, at]
    if np.isnan(value):
        return None
    levels = frame.matrix.specs[at].levels
    return levels[int(value)] if levels else float(value)


def test_numbers_are_those_of_the_snapshots_also_after_the_catalogue_grew(workspace: Workspace) -> None:
    build(3, workspace)
    take_snapshots(as_of=AS_OF - 7 * DAY)
    TraitDefinition.objects.create(key="late", label="late", kind="number")
    take_snapshots(as_of=AS_OF)
    frame = feature_frame([AS_OF - 7 * DAY, AS_OF])
    places = known_positions()
    rows = {(r.account_id, r.as_of.toordinal()): r.values for r in AccountSnapshot.objects.all()}
    customers = {key for key, values in rows.items() if values[places["subscriptions"]]}
    assert set(zip(frame.account_ids.tolist(), frame.as_of.tolist(), strict=True)) == customers
    for name in ("mrr_minor", "events_28", "days_since_last_seen", "trait:late", "trait:size"):
        column = frame.matrix.values[:, frame.matrix.names.index(name)]
        for account_id, day, value in zip(
            frame.account_ids.tolist(), frame.as_of.tolist(), column, strict=True
        ):
            stored = rows[(account_id, day)]
            want = stored[places[name]] if places[name] < len(stored) else None
            assert np.isnan(value) if want is None else value == want
    assert "active_contacts_28" not in frame.matrix.names  # a second name of mau


def test_texts_are_those_known_on_the_day(workspace: Workspace) -> None:
    now = day_start(AS_OF, workspace.zone)
    account = make_account("One", industry="Energy", created_at=now - 300 * DAY)
    other = make_account("Two", created_at=now - 300 * DAY)
    plans = [Plan.objects.create(name=name) for name in ("Old", "New")]
    subscription = make_subscription(
        account,
        plan=plans[1],
        started_at=now - 200 * DAY,
        properties={"term": "Two year", "fee": 3.5, "on": "2026-01-01"},
    )
    make_subscription(other, plan=plans[0], started_at=now - 200 * DAY)
    for plan, back, interval in ((plans[0], 200, "month"), (plans[1], 3, "year")):
        SubscriptionChange.objects.create(
            subscription=subscription,
            effective_at=now - back * DAY,
            known_at=now - back * DAY,
            plan=plan,
            mrr_minor=1,
            currency="USD",
            billing_interval=interval,
        )
    tier = TraitDefinition.objects.create(key="tier", label="Tier", kind="text", is_dated=True)
    hidden = TraitDefinition.objects.create(key="hidden", label="Hidden", kind="text", use_in_model=False)
    for definition, text, known in ((tier, "base", None), (tier, "gold", now - 3 * DAY), (hidden, "x", None)):
        AccountTrait.objects.create(account=account, definition=definition, value_text=text, known_at=known)
    for back in (7, 0):
        take_snapshots(as_of=AS_OF - back * DAY)
    frame = feature_frame([AS_OF - 7 * DAY, AS_OF])
    week_ago = AS_OF - 7 * DAY
    assert [level(frame, "plan", account.pk, day) for day in (week_ago, AS_OF)] == ["Old", "New"]
    assert [level(frame, "billing_interval", account.pk, day) for day in (week_ago, AS_OF)] == [
        "month",
        "year",
    ]
    assert [level(frame, "term_months", account.pk, day) for day in (week_ago, AS_OF)] == [1, 12]
    assert [level(frame, "trait:tier", account.pk, day) for day in (week_ago, AS_OF)] == ["base", "gold"]
    assert (level(frame, "industry", account.pk), level(frame, "industry", other.pk)) == ("Energy", None)
    assert (level(frame, "subscription:term", account.pk), level(frame, "subscription:fee", account.pk)) == (
        "Two year",
        3.5,
    )
    assert level(frame, "subscription:term", other.pk) is None
    assert not {"trait:hidden", "subscription:on"} & set(frame.matrix.names)
    undated = {spec.name: spec.undated for spec in frame.matrix.specs}
    assert undated["subscription:term"]
    assert undated["industry"]
    assert not undated["trait:tier"]
    assert not undated["plan"]


def test_a_training_table_joins_features_and_outcomes(workspace: Workspace) -> None:
    now = day_start(AS_OF, workspace.zone)
    stays, leaves = make_account("Stays"), make_account("Leaves")
    make_subscription(stays, started_at=now - 300 * DAY, mrr_minor=1_000)
    make_subscription(leaves, started_at=now - 300 * DAY, ended_at=now - 70 * DAY, ended_cause="voluntary")
    days = [AS_OF - back * DAY for back in (120, 91, 84, 7)]
    for day in days:
        take_snapshots(as_of=day, is_rebuilt=True)
    table = training_table(days, horizon_days=30, known_until=AS_OF)
    found = {
        (account, day): label
        for account, day, label in zip(
            table.account_ids.tolist(), table.as_of.tolist(), table.label.tolist(), strict=True
        )
    }
    ordinals = [day.toordinal() for day in days]
    assert found == {
        (stays.pk, ordinals[0]): 0,
        (stays.pk, ordinals[1]): 0,
        (stays.pk, ordinals[2]): 0,
        (leaves.pk, ordinals[0]): 0,
        (leaves.pk, ordinals[1]): 1,
        (leaves.pk, ordinals[2]): 1,
    }
    assert table.label_kind[table.label == 1].tolist() == [1, 1]
    assert set(table.arr_minor[table.account_ids == stays.pk].tolist()) == {12_000.0}


def test_an_empty_workspace_gives_an_empty_table(workspace: Workspace) -> None:
    assert training_table([AS_OF], horizon_days=30, known_until=AS_OF + 90 * DAY).size == 0
    assert training_table([], horizon_days=30, known_until=AS_OF).size == 0
