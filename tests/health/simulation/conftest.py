"""One simulated business of the demo's size, shared by the tests of this folder."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from health.simulation import Business, SimulationSpec, simulate
from health.simulation.usage import EventBatch

END = date(2026, 11, 22)


@pytest.fixture(scope="session")
def business() -> Business:
    """500 accounts over a year."""
    return simulate(SimulationSpec(end=END, seed=1))


@pytest.fixture(scope="session")
def events(business: Business) -> EventBatch:
    """All its events in one batch."""
    batches = list(business.events())
    return EventBatch(*(np.concatenate([getattr(b, name) for b in batches]) for name in EventBatch.__slots__))
