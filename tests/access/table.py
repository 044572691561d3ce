"""The tables of all apps put together, and every address of the resolver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import Membership
from cs_platform.lib.scoping import workspace_scope
from tests.access import accounts_rows, dunning_rows, health_rows
from tests.builders import make_contact, make_subscription, queued

APPS = (accounts_rows, health_rows, dunning_rows)
# Addresses that need no workspace, each with the reason.
OPEN = {
    "healthz": "asked by supervisors",
    "readyz": "asked by supervisors",
    "metrics": "guarded by its own token",
    "set_language": "a cookie only",
    **{name: reason for app in APPS for name, reason in app.OPEN.items()},
}
PREFIXES = ("account_", "mfa_", "socialaccount_", "openid_connect_", "api-1.0:", "health:intake_")
FRAMES = {name for app in APPS for name in app.FRAMES}
KIND_OF = {name: kind for app in APPS for kind, names in app.KINDS.items() for name in names}


@dataclass(frozen=True)
class Address:
    name: str
    route: str
    callback: Any

    @property
    def permission(self) -> str | None:
        return getattr(self.callback, "permission", None)

    @property
    def is_ours(self) -> bool:
        """Pages of members; sign-in is allauth's, the API and the intake have keys."""
        outside = self.name in OPEN or self.name.startswith(PREFIXES)
        return not outside and bool(self.name) and "allauth" not in self.callback.__module__


def addresses(resolver: Any = None, prefix: str = "", space: str = "") -> Iterator[Address]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry, route, inner)
        elif isinstance(entry, URLPattern):
            yield Address(f"{space}{entry.name}" if entry.name else "", route, entry.callback)


OURS = [a for a in addresses() if a.is_ours]


def rows(workspace: Any) -> dict[str, Any]:
    """One live row of each kind that an address can name, by kind; made in the running scope."""
    member = Membership.objects.select_related("user").order_by("pk").first()
    now = timezone.now()
    account = queued("Northwind")
    make_contact(account)
    make_subscription(account)
    made: dict[str, Any] = {"account": account}
    for app in APPS:
        made |= app.rows(account, member, now)
    return made


def path_of(address: Address, made: dict[str, Any]) -> str:
    route = address.route
    if "<uuid:public_id>" in route:
        kind = KIND_OF[
            address.name.rpartition(":")[2]
        ]  # a KeyError here: name the new address in its app's KINDS
        route = route.replace("<uuid:public_id>", str(made[kind].public_id))
    route = route.replace("<slug:cause>", "gone_quiet").replace("<slug:kind>", "accounts")
    assert "<" not in route, f"{address} has a parameter that this table does not know"
    return f"/{route}"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def fingerprint(cast: Any) -> list[Any]:
    """What no refused request may change."""
    with workspace_scope(cast.workspace.pk):
        kept = [model for app in APPS for model in app.KEPT]
        return [list(model.objects.order_by("pk").values()) for model in kept]
