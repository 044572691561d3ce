"""Pages read the clock; the builders' rows are relative to one moment."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.builders import NOW


@pytest.fixture
def time_machine_at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield
