"""Optional: errors to a Sentry-compatible server, without anything about people."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from cs_platform.logs import without_values

REMOVED = ("request", "user", "breadcrumbs", "extra", "server_name")


def start(dsn: str | None) -> bool:
    """Begin to report when an address is given; says how to install the client when it is missing."""
    if not dsn:
        return False
    try:
        import sentry_sdk
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but its client is not installed: add requirements/sentry.txt."
        ) from error
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=without_people,
    )
    return True


def without_people(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Drop the request and the user; keep an exception's type, place and first line without the values it quotes."""
    for name in REMOVED:
        event.pop(name, None)
    for error in event.get("exception", {}).get("values", []):
        first_line = (str(error.get("value") or "").splitlines() or [""])[0]
        error["value"] = without_values(first_line)[:300]
    return event
