"""What arrives right now, and what was refused: the live sign of the page that connects a product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from health.intake.limits import AHEAD
from health.models import Event, IntakeBatch, IntakeRefusal

ROWS = 5
FRESH = timedelta(minutes=10)
RECENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`events`: received in the last minutes, newest first. `batch`: the newest request that is not counted yet.
    `older`: the newest event of all, where none is fresh. `refusals`: the last ones, newest first."""

    events: list[Event]
    batch: IntakeBatch | None
    older: Event | None
    refusals: list[IntakeRefusal]

    @property
    def is_receiving(self) -> bool:
        return bool(self.events or self.batch)

    @property
    def last_at(self) -> datetime | None:
        """When the last request with events came in, as far as it is fresh."""
        times = [e.received_at for e in self.events] + ([self.batch.received_at] if self.batch else [])
        return max(times, default=None)


def arrivals(*, now: datetime) -> Arrivals:
    """Four queries, all by an index; an event of long ago that comes in now shows in `batch` only."""
    window = Event.objects.filter(
        occurred_at__gt=now - RECENT, occurred_at__lte=now + AHEAD, received_at__gt=now - FRESH
    )
    events = list(window.select_related("account", "contact").order_by("-occurred_at")[:ROWS])
    events.sort(key=lambda event: event.received_at, reverse=True)
    batch = IntakeBatch.objects.filter(source="http", received_at__gt=now - FRESH).order_by("-pk").first()
    older = None
    if not events:
        older = Event.objects.select_related("account", "contact").order_by("-occurred_at").first()
    refusals = IntakeRefusal.objects.filter(received_at__gt=now - timedelta(days=7)).order_by("-pk")
    return Arrivals(events, batch, older, list(refusals[:ROWS]))
