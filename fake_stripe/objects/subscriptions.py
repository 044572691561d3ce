"""Subscriptions: read, list, cancel, pause, resume. Made in `subscription_making.py`, changed in `subscription_changes.py`."""

from typing import Any

from fake_stripe.billing import ending, pausing
from fake_stripe.errors import invalid
from fake_stripe.lists import as_list, list_of
from fake_stripe.routes import route
from fake_stripe.session import Session
from fake_stripe.wire import Json


@route("GET", "/v1/subscriptions/{subscription}", "SubscriptionRetrieveParams")
def get_subscription(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("subscription", key))


@route("GET", "/v1/subscriptions", "SubscriptionListParams")
def list_subscriptions(session: Session, params: Json) -> Json:
    """Without a status: everything that has not ended; `all` and `ended` as Stripe means them."""
    status = params.get("status")
    tests: list[str] = []
    values: list[Any] = []
    if status is None:
        tests.append("status NOT IN ('canceled', 'incomplete_expired')")
    elif status == "ended":
        tests.append("status IN ('canceled', 'incomplete_expired')")
    if price := params.get("price"):
        tests.append(
            "EXISTS (SELECT 1 FROM json_each(body, '$.items') AS i WHERE json_extract(i.value, '$.price') = ?)"
        )
        values.append(price)
    if method := params.get("collection_method"):
        tests.append("ifnull(json_extract(body, '$.collection_method'), 'charge_automatically') = ?")
        values.append(method)
    where = {
        "clock": params.get("test_clock"),
        "status": None if status in (None, "all", "ended") else status,
    }
    extra = (" AND ".join(tests), tuple(values))
    return list_of(session, "subscription", params, "/v1/subscriptions", extra=extra, **where)


@route("DELETE", "/v1/subscriptions/{subscription}", "SubscriptionCancelParams")
def cancel_subscription(session: Session, params: Json, key: str) -> Json:
    record = session.load("subscription", key)
    if record["status"] in ("canceled", "incomplete_expired"):
        raise invalid(f"No such subscription: {key}", code="resource_missing", param="id")
    details = {**session.render(record)["cancellation_details"], **params.get("cancellation_details", {})}
    record["cancellation_details"] = {name: value or None for name, value in details.items()}
    return ending.end_subscription(session, record, reason="cancellation_requested")


@route("POST", "/v1/subscriptions/{subscription}/pause", "SubscriptionPauseParams")
def pause(session: Session, params: Json, key: str) -> Json:
    return pausing.pause_subscription(session, session.load("subscription", key), params)


@route("POST", "/v1/subscriptions/{subscription}/resume", "SubscriptionResumeParams")
def resume(session: Session, params: Json, key: str) -> Json:
    return pausing.resume_subscription(session, session.load("subscription", key), params)


@route("GET", "/v1/subscription_items", "SubscriptionItemListParams")
def list_items(session: Session, params: Json) -> Json:
    record = session.load("subscription", params["subscription"], param="subscription")
    data = session.render(record)["items"]["data"]
    return as_list(data, "/v1/subscription_items")
