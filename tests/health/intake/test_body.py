"""Reading a body never holds more than the limit, whatever it claims to be."""

import gzip
import tracemalloc

import pytest

from health.intake import limits
from health.intake.body import TooLarge, unpacked


def test_a_gzip_bomb_is_cut_off_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < limits.BATCH_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpacked(bomb, "gzip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * limits.BATCH_BYTES


def test_a_body_of_exactly_the_limit_passes() -> None:
    data = b" " * limits.BATCH_BYTES
    assert unpacked(gzip.compress(data), "gzip") == data
    with pytest.raises(TooLarge):
        unpacked(gzip.compress(data + b" "), "gzip")
