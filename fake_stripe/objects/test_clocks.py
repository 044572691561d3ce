"""Test clocks: customers on one live in its time, which moves only when it is advanced."""

from fake_stripe.billing.engine import run_due
from fake_stripe.billing.periods import interval_of
from fake_stripe.errors import invalid
from fake_stripe.lists import list_of
from fake_stripe.months import add_interval
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

KIND = "test_helpers.test_clock"
DAY = 86_400


@shape(KIND)
def clock_shape(session: Session, record: Json) -> Json:
    if record.get("deleted"):
        return {"id": record["id"], "object": KIND, "deleted": True}
    defaults: Json = {"livemode": False, "name": None, "status": "ready", "status_details": {}}
    return {**public(record, defaults), "deletes_after": record["created"] + 30 * DAY}


@route("POST", "/v1/test_helpers/test_clocks", "test_helpers.TestClockCreateParams")
def create_clock(session: Session, params: Json) -> Json:
    record = session.new(KIND, frozen_time=params["frozen_time"], name=params.get("name"))
    return session.created(record, "test_helpers.test_clock.created")


@route("POST", "/v1/test_helpers/test_clocks/{clock}/advance", "test_helpers.TestClockAdvanceParams")
def advance_clock(session: Session, params: Json, key: str) -> Json:
    """Everything between happens now, in order. At most two intervals of the shortest subscription, as with Stripe."""
    record = session.load(KIND, key)
    target = params["frozen_time"]
    if target <= record["frozen_time"]:
        raise invalid("The frozen_time must be later than the clock's.", param="frozen_time", kept=False)
    if target > _furthest(session, record):
        message = "You cannot advance the test clock more than two intervals of the shortest subscription at a time."
        raise invalid(message, param="frozen_time", kept=False)
    run_due(session, key, target)
    record["frozen_time"] = target
    session.save(record)
    session.at(key)
    session.emit("test_helpers.test_clock.advancing", {**session.render(record), "status": "advancing"})
    session.emit("test_helpers.test_clock.ready", session.render(record))
    return session.render(record)


def _furthest(session: Session, record: Json) -> int:
    start = record["frozen_time"]
    limits = [
        add_interval(start, interval, 2 * count)
        for subscription in session.store.find("subscription", clock=record["id"])
        if subscription["status"] not in ("canceled", "incomplete_expired")
        for interval, count in (interval_of(session, item) for item in subscription["items"])
    ]
    return min(limits, default=add_interval(start, "year", 2))


@route("GET", "/v1/test_helpers/test_clocks/{clock}", "test_helpers.TestClockRetrieveParams")
def get_clock(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load(KIND, key))


@route("GET", "/v1/test_helpers/test_clocks", "test_helpers.TestClockListParams")
def list_clocks(session: Session, params: Json) -> Json:
    return list_of(session, KIND, params, "/v1/test_helpers/test_clocks")


@route("DELETE", "/v1/test_helpers/test_clocks/{clock}", "test_helpers.TestClockDeleteParams")
def delete_clock(session: Session, params: Json, key: str) -> Json:
    """The clock goes, and its customers with it."""
    session.store.save({**session.load(KIND, key), "deleted": True})
    for customer in session.store.find("customer", clock=key):
        session.store.save({**customer, "deleted": True})
    for subscription in session.store.find("subscription", clock=key):
        session.store.save({**subscription, "status": "canceled", "due": None})
    return {"id": key, "object": KIND, "deleted": True}
