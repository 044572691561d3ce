"""What one running fake holds: its store, clock, keys, plans for faults and deliveries, and the account's settings."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fake_stripe.faults import FaultPlan
from fake_stripe.store import Store
from fake_stripe.wire import Json

API_VERSION = "2026-10-28.endive"
DEFAULT_SETTINGS: Json = {
    # Stripe's own retries: days after the first failure; empty = the merchant retries.
    "retry_days": [],
    # What Stripe does when its retries end: cancel, unpaid, past_due or pause.
    "end_state": "past_due",
    "upcoming_days": 7,
    "finalize_after_seconds": 3600,
    "debit_days": 3,
    "country": "US",
    "business_name": "Example Software",
}
DEFAULT_DELIVERY: Json = {
    "delay_seconds": 0.0,
    "duplicates": [1, 1],
    "reorder": False,
    "drop_share": 0.0,
    "seed": 0,
    "paused": False,
    "retry_seconds": [1, 5, 30, 300],
    "workers": 8,
}


@dataclass
class World:
    store: Store
    public_url: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    faults: FaultPlan = field(default_factory=FaultPlan)
    settings: Json = field(default_factory=lambda: dict(DEFAULT_SETTINGS))
    delivery: Json = field(default_factory=lambda: dict(DEFAULT_DELIVERY))
    rate_limit: int | None = None
    latency_seconds: float = 0.0
    recent: deque[float] = field(default_factory=deque)
    admitted: deque[float] = field(default_factory=deque)
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # nosec B311
    work: asyncio.Event = field(default_factory=asyncio.Event)
    peak: int = 0
    running_keys: set[str] = field(default_factory=set)
    account_id: str = "acct_1FakeStripeAccount"

    def __post_init__(self) -> None:
        self._clock: Json = self.store.setting("clock") or {}
        self.settings |= self.store.setting("account") or {}
        self._endpoints: list[Json] | None = None

    def now(self) -> int:
        """The fake's clock in seconds: frozen by the control API, or the machine's shifted by an offset."""
        clock = self._clock
        return int(clock["frozen"]) if clock.get("frozen") else int(time.time() + clock.get("offset", 0))

    def set_clock(self, *, frozen: int | None, offset: int = 0) -> None:
        self._clock = {"frozen": frozen, "offset": offset}
        self.store.set_setting("clock", self._clock)

    def is_frozen(self) -> bool:
        return bool(self._clock.get("frozen"))

    def count_request(self) -> int:
        """Requests within the last second, this one included; remembers the highest."""
        now = time.monotonic()
        self.recent.append(now)
        while self.recent[0] <= now - 1:
            self.recent.popleft()
        self.peak = max(self.peak, len(self.recent))
        return len(self.recent)

    def admit(self) -> bool:
        """Within the rate limit? Refused requests do not use it up."""
        now = time.monotonic()
        while self.admitted and self.admitted[0] <= now - 1:
            self.admitted.popleft()
        if self.rate_limit is not None and len(self.admitted) >= self.rate_limit:
            return False
        self.admitted.append(now)
        return True

    def save_keys(self) -> None:
        self.store.set_setting("keys", self.keys)

    def endpoints(self) -> list[Json]:
        """The enabled ones; read again after `endpoints_changed`."""
        if self._endpoints is None:
            self._endpoints = self.store.find("webhook_endpoint", status="enabled")
        return self._endpoints

    def endpoints_changed(self) -> None:
        self._endpoints = None

    def wake(self) -> None:
        """There may be something to deliver."""
        self.work.set()

    async def sleep_until_work(self, seconds: float) -> None:
        self.work.clear()
        try:
            await asyncio.wait_for(self.work.wait(), seconds)
        except TimeoutError:
            return

    def reset(self, default_keys: dict[str, Any]) -> None:
        """As if just started on an empty folder."""
        self.store.clear()
        self._clock, self._endpoints = {}, None
        self.keys = dict(default_keys)
        self.faults = FaultPlan()
        self.settings, self.delivery = dict(DEFAULT_SETTINGS), dict(DEFAULT_DELIVERY)
        self.rate_limit, self.latency_seconds, self.peak = None, 0.0, 0
        self.recent.clear()
        self.admitted.clear()
        self.dice = random.Random(0)  # nosec B311
        self.running_keys.clear()
