"""What to simulate: size, period, seed and the few knobs that change the character of the business."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class SimulationSpec:
    """One business, fully determined by these values.

    ``end`` is exclusive: the last simulated day is the day before it. ``events_per_account_day`` is the mean
    number of usage events per living account and calendar day. ``language_mix`` maps a contact language
    ("en", "ko") to its share of the accounts. ``more_days`` of the ``days`` were added later: but
    for them the business is the one that ended so many days earlier, and nobody signs up in them.
    """

    end: date
    accounts: int = 500
    days: int = 365
    seed: int = 1
    events_per_account_day: float = 4.0
    language_mix: dict[str, float] = field(default_factory=lambda: {"en": 0.78, "ko": 0.22})
    csms: int = 6
    new_share: float = 0.34
    more_days: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError on a size that cannot be simulated."""
        if self.accounts < 1 or self.first_days < 30:
            raise ValueError("a simulation needs at least 1 account and 30 days")
        if self.events_per_account_day < 0 or not 0 <= self.new_share <= 1:
            raise ValueError("events_per_account_day must not be negative, new_share lies between 0 and 1")
        unknown = set(self.language_mix) - {"en", "ko"}
        if unknown or not self.language_mix or sum(self.language_mix.values()) <= 0:
            raise ValueError(f"language_mix takes shares of en and ko, not {sorted(unknown)}")

    @property
    def first_days(self) -> int:
        """Days of the business as it was first simulated."""
        return self.days - self.more_days

    def extended_to(self, end: date) -> SimulationSpec:
        """The same business told on to a later end. Raises ValueError for an earlier one."""
        more = (end - self.end).days
        if more < 0:
            raise ValueError("a simulation cannot be shortened")
        return replace(self, end=end, days=self.days + more, more_days=self.more_days + more)

    @property
    def start(self) -> date:
        """First simulated day (day index 0)."""
        return self.end - timedelta(days=self.days)

    def day(self, index: int) -> date:
        """Calendar day of a day index; negative indexes lie before the simulated period."""
        return self.start + timedelta(days=int(index))

    def moment(self, index: int, seconds: float = 0) -> datetime:
        """UTC instant ``seconds`` into the day with this index."""
        midnight = datetime.combine(self.day(index), time(), tzinfo=UTC)
        return midnight + timedelta(seconds=int(seconds))

    @property
    def start_seconds(self) -> int:
        """Unix time of the first simulated midnight (UTC)."""
        return int(self.moment(0).timestamp())
