"""A workspace with one of everything that the REST API shows, and keys to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from accounts.models import Activity, ApiKey, Note, Segment, SegmentMembership, Ticket, Workspace
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.models import ChurnPrediction, HealthScore, ModelVersion, Risk, ScorecardVersion
from tests.builders import NOW, TODAY, make_contact, make_subscription, queued
from tests.dunning.builders import make_case


def make_world(name: str = "Northwind") -> dict[str, Any]:
    """Rows by noun, in the running scope."""
    account = queued(name)
    contact = make_contact(account)
    segment = Segment.objects.create(name=f"With {name}", members=1)
    SegmentMembership.objects.create(segment=segment, account=account, entered_at=NOW)
    version = ScorecardVersion.objects.filter(published_at__isnull=False).first()
    measures = len(version.definition["measures"])
    HealthScore.objects.create(
        account=account,
        as_of=TODAY,
        version=version,
        score=38.0,
        band="red",
        coverage=0.85,
        contributions=[1.0] * measures,
    )
    model, _ = ModelVersion.objects.get_or_create(
        number=1, defaults={"horizon_days": 90, "trained_as_of": TODAY, "record": {}}
    )
    reasons = [{"feature": "days_since_last_seen", "value": 19.0, "effect": 0.8}]
    ChurnPrediction.objects.create(
        account=account, as_of=TODAY, version=model, probability=0.62, reasons=reasons
    )
    case = make_case(account)
    case.invoice.external_id, case.invoice.amount_minor = f"I-{name}", 1200
    case.invoice.save()
    return {
        "accounts": account,
        "contacts": contact,
        "subscriptions": make_subscription(account),
        "tickets": Ticket.objects.create(
            account=account, contact=contact, external_id=f"T-{name}", opened_at=NOW, subject="Slow export"
        ),
        "invoices": case.invoice,
        "notes": Note.objects.create(account=account, body=f"{name} is quiet", created_at=NOW),
        "activities": Activity.objects.create(
            account=account, contact=contact, kind="call", is_touch=True, occurred_at=NOW - timedelta(days=1)
        ),
        "risks": Risk.objects.create(
            account=account,
            cause="gone_quiet",
            severity=3,
            evidence={"days_since_last_seen": 19},
            opened_on=TODAY,
            refreshed_on=TODAY,
        ),
        "dunning-cases": case,
        "segments": segment,
        "queue": account,
    }


def api_key(workspace: Workspace, scope: str = "write") -> tuple[ApiKey, str]:
    with workspace_scope(workspace.pk):
        key, credential = create_api_key(workspace=workspace, scope=scope, acting_user=None)
    key.workspace = workspace
    return key, str(credential)


class Caller:
    """Django's test client with a bearer key and JSON bodies."""

    def __init__(self, client: Any, credential: str) -> None:
        self._client, self._credential = client, credential

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent: dict[str, Any] = {"Authorization": f"Bearer {self._credential}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"headers": sent}
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        return self._client.generic(method, f"/api/v1{path}", **_raw(options))


def _raw(options: dict[str, Any]) -> dict[str, Any]:
    import json

    data = options.get("data")
    if data is not None and not isinstance(data, str | bytes):
        options["data"] = json.dumps(data)
    return options
