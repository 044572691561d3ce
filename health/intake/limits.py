"""Every limit of the intake in one place. Sizes in bytes of JSON text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EVENT_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1024
BATCH_EVENTS = 2_000

NAME_CHARACTERS = 200
KEY_CHARACTERS = 200
NESTING = 32

QUANTITY = 1e12
"""Six decimals of a quantity count; up to here their sums stay exact in 64-bit integers per event."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=2)
"""How far a client's clock may run ahead of the time of receipt."""
