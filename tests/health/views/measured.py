"""A workspace whose night is done: customers with one measure each, on a card of two measures."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import Account
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from health.metrics.catalogue import ensure_positions
from health.models import AccountSnapshot, NightRun, RunStatus, Scorecard, ScorecardVersion
from health.services.rescoring import rescore
from tests.builders import NOW, TODAY, make_account, make_state, make_subscription
from tests.conftest import Cast

KEYS = ("active_days_28", "days_since_last_seen", "tenure_days", "usage_change_28", "events_28")
DEFINITION: dict[str, Any] = {
    "measures": [
        {"metric": "active_days_28", "weight": 3, "direction": "up", "red": 0, "green": 20},
        {"metric": "days_since_last_seen", "weight": 1, "direction": "down", "red": 20, "green": 0},
    ],
    "exceptions": [],
    "bands": {"yellow": 50, "green": 75},
}


def web(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def customer(name: str, *, active: float, silent: float, change: float = 0, events: float = 100) -> Account:
    """A paying customer with a snapshot of TODAY; the night of TODAY is done."""
    places = ensure_positions(KEYS)
    account = make_account(name)
    make_subscription(account)
    make_state(account)
    values: list[float | None] = [None] * (max(places.values()) + 1)
    for key, value in zip(KEYS, (active, silent, 400, change, events), strict=True):
        values[places[key]] = value
    AccountSnapshot.objects.create(account=account, as_of=TODAY, values=values)
    NightRun.objects.get_or_create(as_of=TODAY, defaults={"status": RunStatus.DONE})
    return account


def small_card() -> Scorecard:
    """The card with DEFINITION in force."""
    card = Scorecard.objects.get()
    ScorecardVersion.objects.filter(scorecard=card).update(definition=DEFINITION)
    return card


def measured_workspace(cast: Cast) -> Scorecard:
    """Alder is fully healthy, Birch is active but was not seen for long; scores are up to date."""
    with workspace_scope(cast.workspace.pk):
        card = small_card()
        customer("Alder", active=20, silent=0)
        customer("Birch", active=20, silent=20)
        rescore(cast.workspace.pk)
    return card


def typed(**changes: str) -> dict[str, str]:
    """The editor's form for DEFINITION, as a browser sends it."""
    form = {"b-yellow": "50", "b-green": "75", "note": "", "example": ""}
    for at, measure in enumerate(DEFINITION["measures"]):
        form |= {f"m{at}-{key}": str(value) for key, value in measure.items()}
        form |= {f"m{at}-missing": "redistribute", f"m{at}-half_life_days": ""}
    return form | {name.replace("__", "-"): value for name, value in changes.items()}


def drain() -> int:
    return run_due_jobs(limit=50)


__all__ = ["DEFINITION", "NOW", "customer", "drain", "measured_workspace", "small_card", "typed", "web"]
