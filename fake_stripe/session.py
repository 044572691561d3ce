"""One transaction's view of the world: time under the right clock, records, and the events it causes."""

import json
from collections.abc import Callable
from typing import Any

from fake_stripe.delivery import enqueue
from fake_stripe.errors import missing
from fake_stripe.ids import new_id
from fake_stripe.wire import Json
from fake_stripe.world import API_VERSION, World

Shape = Callable[["Session", Json], Json]
SHAPES: dict[str, Shape] = {}


def shape(kind: str) -> Callable[[Shape], Shape]:
    """Registers how records of a kind look from outside."""

    def register(function: Shape) -> Shape:
        SHAPES[kind] = function
        return function

    return register


class Session:
    """Handlers and the billing engine work through this.

    Loading a record that lives under a test clock moves the session to that clock: its `now` and the events'
    times are the clock's.
    """

    def __init__(
        self, world: World, *, request: str | None = None, key: str | None = None, clock: str | None = None
    ) -> None:
        self.world, self.store = world, world.store
        self.request, self.key = request, key
        self.clock = clock
        self._now: int | None = None

    @property
    def now(self) -> int:
        if self._now is None:
            found = self.store.load("test_helpers.test_clock", self.clock) if self.clock else None
            self._now = int(found["frozen_time"]) if found else self.world.now()
        return self._now

    def at(self, clock: str | None, moment: int | None = None) -> None:
        """Continue under this clock; `moment` is where the engine stands on its way to the clock's time."""
        self.clock, self._now = clock, moment

    def find(self, kind: str, key: str) -> Json | None:
        record = self.store.load(kind, key)
        if record and (clock := record.get("clock")) and clock != self.clock:
            self.at(clock)
        return record

    def load(self, kind: str, key: str, *, param: str = "id") -> Json:
        """Raises 404 for an id in the path, 400 for one in a parameter, as Stripe does."""
        record = self.find(kind, key)
        if record is None or record.get("deleted"):
            raise missing(kind.rpartition(".")[2], key, param=param, status=404 if param == "id" else 400)
        return record

    def new(self, kind: str, **fields: Any) -> Json:
        record: Json = {"id": new_id(kind), "object": kind, "created": self.now, **fields}
        if self.clock:
            record["clock"] = self.clock
        return record

    def save(self, record: Json) -> None:
        self.store.save(record)
        if record["object"] == "webhook_endpoint":
            self.world.endpoints_changed()

    def render(self, record: Json) -> Json:
        return SHAPES[record["object"]](self, record)

    def created(self, record: Json, event: str) -> Json:
        """Save a new record, tell, and give its shape."""
        self.save(record)
        rendered = self.render(record)
        self.emit(event, rendered)
        return rendered

    def changed(self, record: Json, before: Json, *events: str) -> Json:
        """Save, tell with what was before, and give the shape. Without a visible change nothing is told."""
        self.save(record)
        after = self.render(record)
        if previous := difference(before, after):
            for event in events:
                self.emit(event, after, previous)
        return after

    def emit(self, event_type: str, rendered: Json, previous: Json | None = None) -> None:
        data: Json = {"object": rendered}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Json = {
            "id": new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request, "idempotency_key": self.key if self.request else None},
            "type": event_type,
        }
        self.store.save({**event, "clock": self.clock} if self.clock else event)
        enqueue(self.world, event)


def difference(before: Json, after: Json) -> Json:
    """Stripe's previous_attributes: what changed, with the old values; inner objects by their own changes."""
    changes: Json = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        both = isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list"
        changes[key] = difference(old, new) if both and old and new else old
    return changes


def copy(record: Json) -> Json:
    """A deep copy of a record, cheap for plain data."""
    duplicate: Json = json.loads(json.dumps(record))
    return duplicate


def public(record: Json, defaults: Json) -> Json:
    """Defaults overlaid by the record's own fields; what begins with an underscore, and bookkeeping, stays inside."""
    hidden = ("due", "clock")
    own = {key: value for key, value in record.items() if key[0] != "_" and key not in hidden}
    return {**defaults, **own}
