"""A business told on to a later end keeps its past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from itertools import chain

import numpy as np
import pytest
from numpy.typing import NDArray

from health.simulation import SimulationSpec, simulate
from health.simulation.usage import EventBatch

SPEC = SimulationSpec(end=date(2026, 9, 1), accounts=60, days=120, seed=5)


def test_the_past_stays_as_it_was() -> None:
    short, long = (
        simulate(SPEC),
        simulate(SPEC.extended_to(SPEC.end + timedelta(days=9)).extended_to(date(2026, 9, 20))),
    )
    end = SPEC.moment(SPEC.days)
    assert long.spec.end == date(2026, 9, 20)
    assert [asdict(a) for a in short.accounts] == [asdict(a) for a in long.accounts]
    joined = [p.external_id for p in long.contacts if p.joined_day < SPEC.days]
    assert joined == [p.external_id for p in short.contacts if p.joined_day < SPEC.days]
    for before, after in zip(short.subscriptions, long.subscriptions, strict=False):
        assert before.external_id == after.external_id
        assert before.changes == [change for change in after.changes if change.at < end]
    assert [i.external_id for i in short.invoices] == [
        i.external_id for i in long.invoices if i.issued_at < end
    ]
    assert [t.subject for t in short.tickets] == [t.subject for t in long.tickets[: len(short.tickets)]]
    people = [[business.contacts[t.contact].email for t in business.tickets] for business in (short, long)]
    assert people[0] == people[1][: len(people[0])]
    assert [t.text for t in short.touches] == [t.text for t in long.touches if t.at < end]


def columns(events: Iterator[EventBatch]) -> NDArray[np.int64]:
    rows = [np.column_stack([b.time, b.account, b.feature, b.quantity]) for b in events]
    whole: NDArray[np.int64] = np.concatenate(rows)
    return whole[np.lexsort(whole.T)]


def test_events_go_on_where_they_stopped() -> None:
    short, long = simulate(SPEC), simulate(SPEC.extended_to(date(2026, 9, 11)))
    both = [short.events(), long.events(told_days=SPEC.days)]
    assert np.array_equal(columns(chain(*both)), columns(long.events()))


def test_nobody_can_be_told_back() -> None:
    with pytest.raises(ValueError, match="shortened"):
        SPEC.extended_to(date(2026, 8, 1))
