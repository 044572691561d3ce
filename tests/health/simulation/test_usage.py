"""Usage has a weekly rhythm, stays inside subscriptions and comes in time order."""

from __future__ import annotations

import numpy as np

from health.simulation import Business
from health.simulation.usage import FEATURES, EventBatch


def test_batches_come_in_time_order_and_full(business: Business) -> None:
    batches = list(business.events(size=20_000))
    assert all(len(batch) == 20_000 for batch in batches[:-1])
    times = np.concatenate([batch.time for batch in batches])
    assert (np.diff(times) >= 0).all()


def test_number_of_events_follows_the_knob(business: Business, events: EventBatch) -> None:
    expected = business.spec.events_per_account_day * business.history.alive.sum()
    assert abs((events.contact >= 0).sum() / expected - 1) < 0.05


def test_weekends_are_quiet_and_year_ends_too(events: EventBatch) -> None:
    days = events.time // 86400
    weekday = np.bincount((days + 3) % 7, minlength=7)  # 1970-01-01 was a Thursday
    assert weekday[5:].mean() < 0.25 * weekday[:5].mean()
    per_day = np.bincount(days - days[0])
    christmas = (np.datetime64("2025-12-25") - np.datetime64(int(days[0]), "D")).astype(int)
    assert per_day[christmas] < 0.4 * per_day[christmas - 14]


def test_nobody_acts_before_or_after_a_subscription(business: Business, events: EventBatch) -> None:
    inside = np.zeros(len(events), dtype=bool)
    for item in business.subscriptions:
        end = item.ended_at.timestamp() if item.ended_at else np.inf
        within = (events.time >= item.started_at.timestamp()) & (events.time < end)
        inside |= within & (events.account == item.account)
    assert inside.all()


def test_people_act_only_while_they_are_there(business: Business, events: EventBatch) -> None:
    events = EventBatch(*(getattr(events, name)[events.contact >= 0] for name in EventBatch.__slots__))
    account = np.array([person.account for person in business.contacts])
    assert (account[events.contact] == events.account).all()
    offset = np.array([a.utc_offset_hours * 3600 for a in business.accounts])[events.account]
    day = (events.time + offset - business.spec.start_seconds) // 86400
    assert (day >= np.array([p.joined_day for p in business.contacts])[events.contact]).all()
    assert (day < np.array([p.left_day for p in business.contacts])[events.contact]).all()


def test_all_features_are_used_and_some_accounts_pass_key_features_over(
    business: Business, events: EventBatch
) -> None:
    used = np.zeros((len(business.accounts), len(FEATURES)), dtype=bool)
    used[events.account, events.feature] = True
    assert used.any(axis=0).all()
    keys = [index for index, feature in enumerate(FEATURES) if feature.is_key]
    without = (used[:, keys].sum(axis=1) <= 1) & used[:, 0]
    assert 0.02 < without.mean() < 0.35


def test_machines_go_on_where_people_stopped(business: Business, events: EventBatch) -> None:
    by_machine = events.contact < 0
    assert 0.005 < by_machine.mean() < 0.15
    assert not (events.feature[by_machine] == 0).any()
