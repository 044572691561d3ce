"""Every test of the intake starts without remembered keys and with full buckets."""

from collections.abc import Iterator

import pytest

from health.api import intake


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    yield
    intake._keys.known.clear()
    intake._pace.cache_clear()
