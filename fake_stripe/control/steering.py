"""Clock, faults, limits, deliveries, keys, account settings, reset."""

from dataclasses import asdict

from fake_stripe.auth import PERMISSIONS
from fake_stripe.billing.engine import run_due
from fake_stripe.control import Wrong, command
from fake_stripe.faults import plan_from
from fake_stripe.objects.webhook_endpoints import new_endpoint
from fake_stripe.session import Session
from fake_stripe.wire import Json
from fake_stripe.world import DEFAULT_DELIVERY, DEFAULT_SETTINGS

DEFAULT_KEYS: Json = {"sk_test_fake": "all"}


@command("POST", "reset")
def reset(session: Session, given: Json) -> Json:
    """Empty, as just started: objects, ledger, logs, plans, clock, keys."""
    session.world.reset(DEFAULT_KEYS)
    return {"reset": True}


@command("POST", "keys")
def set_key(session: Session, given: Json) -> Json:
    """{"key": …, "permissions": "all" | "expired" | {"customer": "read" | "write", …} | null (= unknown again)}"""
    key, permissions = given["key"], given.get("permissions", "all")
    if isinstance(permissions, dict):
        unknown = set(permissions) - set(PERMISSIONS.values())
        if unknown:
            raise Wrong(
                f"unknown permissions {sorted(unknown)}; there are {sorted(set(PERMISSIONS.values()))}"
            )
    if permissions is None:
        session.world.keys.pop(key, None)
    else:
        session.world.keys[key] = permissions
    session.world.save_keys()
    return {"keys": session.world.keys}


@command("GET", "clock")
def get_clock(session: Session, given: Json) -> Json:
    return {"now": session.world.now(), "frozen": session.world.is_frozen()}


@command("POST", "clock")
def set_clock(session: Session, given: Json) -> Json:
    """{"now": seconds} freezes there; {"advance": seconds} moves on; {"release": true} runs on from here.

    Moving forward does everything that is due on the way, in order. Moving back only sets the time.
    """
    world = session.world
    start = world.now()
    target = int(given["now"]) if "now" in given else start + int(given.get("advance", 0))
    done = run_due(session, None, target) if target > start else 0
    if given.get("release"):
        world.set_clock(frozen=None, offset=int(given.get("offset", 0)))
    else:
        world.set_clock(frozen=target)
    return {"now": world.now(), "done": done}


@command("GET", "faults")
def get_faults(session: Session, given: Json) -> Json:
    return {"rules": [asdict(rule) for rule in session.world.faults.rules]}


@command("POST", "faults")
def set_faults(session: Session, given: Json) -> Json:
    """{"rules": [{"kind": …, "method", "path", "share", "next", "seconds", "should_retry"}], "seed": 0} replaces the plan."""
    session.world.faults = plan_from(given)
    return get_faults(session, {})


@command("POST", "limits")
def set_limits(session: Session, given: Json) -> Json:
    """{"rate_limit": requests per second | null, "latency_seconds": 0.0}"""
    world = session.world
    if "rate_limit" in given:
        world.rate_limit = given["rate_limit"]
    world.latency_seconds = float(given.get("latency_seconds", world.latency_seconds))
    return {"rate_limit": world.rate_limit, "latency_seconds": world.latency_seconds}


@command("POST", "settings")
def set_settings(session: Session, given: Json) -> Json:
    """The account's settings in Stripe's dashboard: retry_days, end_state, upcoming_days, debit_days, …"""
    merged = _merge(session.world.settings, given, DEFAULT_SETTINGS)
    session.store.set_setting("account", merged)  # a restart keeps them, as Stripe does
    return merged


@command("POST", "delivery")
def set_delivery(session: Session, given: Json) -> Json:
    """delay_seconds (n or [from, to]), duplicates [from, to], reorder, drop_share, paused, retry_seconds, workers."""
    return _merge(session.world.delivery, given, {**DEFAULT_DELIVERY, "sign_at": "machine"})


def _merge(current: Json, given: Json, known: Json) -> Json:
    if unknown := sorted(set(given) - set(known)):
        raise Wrong(f"unknown {unknown}; there are {sorted(known)}")
    current |= given
    return current


@command("GET", "delivery")
def get_delivery(session: Session, given: Json) -> Json:
    """The plan and how many deliveries are in which state."""
    rows = session.store.rows("SELECT state, count(*) AS n FROM deliveries GROUP BY state")
    states = {"pending": 0, "sending": 0, "delivered": 0, "failed": 0, "dropped": 0}
    return {**session.world.delivery, "states": states | {row["state"]: row["n"] for row in rows}}


@command("POST", "webhooks")
def add_webhook(session: Session, given: Json) -> Json:
    """{"url": …, "secret": …, "previous_secret": …, "events": ["*"]}: an endpoint with secrets of your choice.

    While a secret is being rolled, Stripe signs with both.
    """
    endpoint = new_endpoint(session, given["url"], given.get("events", ["*"]), given.get("secret"))
    if previous := given.get("previous_secret"):
        endpoint["_secrets"].append(previous)
        session.save(endpoint)
    return {**session.render(endpoint), "secret": endpoint["_secrets"][0]}


@command("POST", "events")
def emit(session: Session, given: Json) -> Json:
    """{"type": …, "object": id or a whole object, "previous": {…} | null}: an event that nothing caused.

    For types that nobody knows, objects that are gone, and news older than what is known.
    """
    about = given["object"]
    if isinstance(about, str):
        kind = session.store.db.execute("SELECT kind FROM records WHERE id = ?", (about,)).fetchone()
        if kind is None:
            raise Wrong(f"no object {about}")
        about = session.render(session.load(kind[0], about))
    session.emit(given["type"], about, given.get("previous"))
    newest = session.store.db.execute("SELECT id FROM records WHERE kind = 'event' ORDER BY seq DESC LIMIT 1")
    return {"id": newest.fetchone()[0]}


@command("POST", "redeliver")
def redeliver(session: Session, given: Json) -> Json:
    """{"events": [ids] | null (= all), "state": "dropped" | null}: deliver again what was (not) delivered."""
    tests, values = ["1"], []
    if events := given.get("events"):
        tests.append(f"event IN ({', '.join('?' * len(events))})")
        values.extend(events)
    if state := given.get("state"):
        tests.append("state = ?")
        values.append(state)
    cursor = session.store.db.execute(
        f"UPDATE deliveries SET state = 'pending', due = 0, tries = 0 WHERE {' AND '.join(tests)}", values
    )
    return {"queued": cursor.rowcount}
