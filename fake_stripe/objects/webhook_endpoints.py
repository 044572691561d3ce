"""Webhook endpoints: where events go, which types, signed with which secret."""

from fake_stripe.ids import random_text
from fake_stripe.lists import list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.params import given
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "api_version": None,
    "application": None,
    "description": None,
    "livemode": False,
    "metadata": {},
    "status": "enabled",
}


@shape("webhook_endpoint")
def endpoint_shape(session: Session, record: Json) -> Json:
    return public(record, DEFAULTS)


def new_endpoint(session: Session, url: str, events: list[str], secret: str | None = None) -> Json:
    record = session.new("webhook_endpoint", url=url, enabled_events=events, status="enabled")
    record["_secrets"] = [secret or f"whsec_{random_text(32)}"]
    session.save(record)
    return record


@route("POST", "/v1/webhook_endpoints", "WebhookEndpointCreateParams")
def create_endpoint(session: Session, params: Json) -> Json:
    record = new_endpoint(session, params["url"], params["enabled_events"])
    record |= given(params, ("api_version", "description"))
    merge_metadata(record, params)
    session.save(record)
    # The secret is shown once, in this answer.
    return {**session.render(record), "secret": record["_secrets"][0]}


@route("POST", "/v1/webhook_endpoints/{endpoint}", "WebhookEndpointUpdateParams")
def update_endpoint(session: Session, params: Json, key: str) -> Json:
    record = session.load("webhook_endpoint", key)
    record |= given(params, ("url", "enabled_events", "description"))
    if "disabled" in params:
        record["status"] = "disabled" if params["disabled"] else "enabled"
    merge_metadata(record, params)
    session.save(record)
    return session.render(record)


@route("DELETE", "/v1/webhook_endpoints/{endpoint}", "WebhookEndpointDeleteParams")
def delete_endpoint(session: Session, params: Json, key: str) -> Json:
    record = session.load("webhook_endpoint", key)
    session.save({**record, "deleted": True, "status": "deleted"})
    return {"id": key, "object": "webhook_endpoint", "deleted": True}


@route("GET", "/v1/webhook_endpoints/{endpoint}", "WebhookEndpointRetrieveParams")
def get_endpoint(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("webhook_endpoint", key))


@route("GET", "/v1/webhook_endpoints", "WebhookEndpointListParams")
def list_endpoints(session: Session, params: Json) -> Json:
    extra = ("status != 'deleted'", ())
    return list_of(session, "webhook_endpoint", params, "/v1/webhook_endpoints", extra=extra)
