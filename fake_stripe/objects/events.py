"""Events: read and listed by type and by whether they were delivered."""

from typing import Any

from fake_stripe.errors import invalid
from fake_stripe.lists import list_of
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

KEPT_DAYS = 30
_UNDELIVERED = "EXISTS (SELECT 1 FROM deliveries WHERE event = records.id AND state != 'delivered')"


@shape("event")
def event_shape(session: Session, record: Json) -> Json:
    waiting = session.store.db.execute(
        "SELECT count(DISTINCT endpoint) FROM deliveries WHERE event = ? AND state = 'pending'",
        (record["id"],),
    ).fetchone()[0]
    return public({**record, "pending_webhooks": waiting}, {})


@route("GET", "/v1/events/{id}", "EventRetrieveParams")
def get_event(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("event", key))


@route("GET", "/v1/events", "EventListParams")
def list_events(session: Session, params: Json) -> Json:
    """Of the last 30 days, as with Stripe; those of a test clock bear its time and are listed whatever it is."""
    if "type" in params and "types" in params:
        raise invalid("You may pass either `type` or `types`, but not both.", param="type", kept=False)
    tests, values = (
        ["(created > ? OR clock IS NOT NULL)"],
        list[Any]([session.world.now() - KEPT_DAYS * 86_400]),
    )
    wanted = params.get("types") or ([params["type"]] if "type" in params else [])
    if wanted:
        tests.append("(" + " OR ".join("type GLOB ?" for _ in wanted) + ")")
        values.extend(wanted)
    if "delivery_success" in params:
        tests.append(_UNDELIVERED if not params["delivery_success"] else f"NOT {_UNDELIVERED}")
    extra = (" AND ".join(tests), tuple(values))
    return list_of(session, "event", params, "/v1/events", extra=extra, type=None)
