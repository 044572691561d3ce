"""Accounts as the API shows them, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from accounts.models import Account, Workspace
from cs_platform.lib.scoping import current_workspace_id
from health.models import AccountSnapshot, AccountState, MetricPosition, Risk
from health.queries.in_force import live_version


@dataclass(frozen=True)
class AccountRow:
    """One account; see `health/api/accounts.py` for the meaning of each field."""

    id: int
    public_id: UUID
    external_id: str
    name: str
    csm: str | None
    plan: str | None
    arr_minor: int
    currency: str
    health_score: float | None
    health_band: str | None
    coverage: float | None
    churn_probability: float | None
    horizon_days: int | None
    expected_loss_minor: int
    causes: list[str]
    metrics: dict[str, float | None]
    events_total: int
    as_of: date | None
    updated_at: datetime


def account_rows(
    *,
    limit: int,
    external_id: str | None = None,
    public_id: UUID | None = None,
    where: Q | None = None,
    order: tuple[str, ...] = ("pk",),
) -> list[AccountRow]:
    """Up to `limit` accounts in their order; optionally only the one with an id."""
    rows = Account.objects.filter(where or Q()).select_related("state", "csm__user").order_by(*order)
    if external_id is not None:
        rows = rows.filter(external_id=external_id)
    if public_id is not None:
        rows = rows.filter(public_id=public_id)
    accounts = list(rows[:limit])
    metrics, causes = _metrics(accounts), _causes(accounts)
    version = live_version()
    currency = Workspace.objects.get(pk=current_workspace_id()).report_currency
    horizon = version.horizon_days if version else None
    return [_row(a, metrics.get(a.pk, {}), causes.get(a.pk, []), horizon, currency) for a in accounts]


def _row(
    account: Account, metrics: dict[str, float | None], causes: list[str], horizon: int | None, currency: str
) -> AccountRow:
    state: AccountState = getattr(account, "state", None) or AccountState(account=account, currency=currency)
    return AccountRow(
        id=account.pk,
        public_id=account.public_id,
        external_id=account.external_id,
        name=account.name,
        csm=account.csm.user.email if account.csm else None,
        plan=state.plan or None,
        arr_minor=state.arr_minor,
        currency=state.currency,
        health_score=state.health_score,
        health_band=state.health_band or None,
        coverage=state.coverage,
        churn_probability=state.churn_probability,
        horizon_days=horizon if state.churn_probability is not None else None,
        expected_loss_minor=state.expected_loss_minor,
        causes=causes,
        metrics=metrics,
        events_total=state.events_total,
        as_of=state.as_of,
        updated_at=account.updated_at,
    )


def _metrics(accounts: list[Account]) -> dict[int, dict[str, float | None]]:
    names = dict(MetricPosition.objects.values_list("position", "key"))
    days = {a.pk: a.state.as_of for a in accounts if getattr(a, "state", None)}
    rows = AccountSnapshot.objects.filter(account_id__in=list(days), as_of__in=set(days.values()))
    return {
        row.account_id: {names[at]: value for at, value in enumerate(row.values) if at in names}
        for row in rows
        if days[row.account_id] == row.as_of
    }


def _causes(accounts: list[Account]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    open_risks = Risk.objects.filter(account__in=accounts, closed_on__isnull=True)
    for account_id, cause in open_risks.order_by("-severity", "cause").values_list("account_id", "cause"):
        found[account_id].append(cause)
    return found
