"""Open risks of customers by their cause, with the ARR behind them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from health.models import AccountState, HealthBand, Risk
from health.queries.causes import RISK, cause_label


@dataclass(frozen=True, slots=True)
class CauseTotal:
    """Customers with one open cause; an account with several causes is in each of them."""

    cause: str
    label: str
    accounts: int
    arr_minor: int


def open_causes(*, red_only: bool = False) -> list[CauseTotal]:
    """By ARR, most first; one query."""
    states = AccountState.objects.filter(is_customer=True)
    if red_only:
        states = states.filter(health_band=HealthBand.RED)
    rows = (
        Risk.objects.filter(closed_on__isnull=True, account__state__in=states)
        .values("cause")
        .annotate(n=Count("account_id", distinct=True), arr=Sum("account__state__arr_minor"))
        .order_by("-arr", "cause")
    )
    return [
        CauseTotal(row["cause"], cause_label(RISK + row["cause"]), row["n"], row["arr"] or 0) for row in rows
    ]
