"""Stage "tell": what the night found new, told to the people and the systems that want to hear of it.

Only the difference between two nights is news: after the very first night nobody is told that
everything is new. Causes carry the date, so that a night that runs again tells nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Account, Membership, MrrMovement, WebhookEndpoint, Workspace
from accounts.services.notifications import notify
from accounts.services.webhooks import emit
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import current_workspace_id
from health.models import AccountState, NightRun, Risk, RunStatus, Severity
from health.news import BAND_EVENT, CHURN_EVENT, CHURNED, RED, RISK_CLOSED_EVENT, RISK_EVENT, RISKS

_NAMED = 5


@dataclass(frozen=True)
class _Known:
    """What a sentence and a payload need to know of an account."""

    id: int
    public_id: UUID
    external_id: str
    name: str
    csm_id: int | None


@dataclass(frozen=True)
class _BandMove:
    account_id: int
    before: str
    after: str
    score_before: float | None
    score_after: float | None


def tell_news(*, as_of: date, now: datetime) -> int:
    """Write notifications and outgoing messages; returns how many accounts there was news of."""
    previous = _previous_night(as_of)
    if previous is None:
        return 0
    moves, gone = _band_moves(previous, as_of), _churned(previous, as_of)
    opened = list(Risk.objects.filter(opened_on=as_of, closed_on__isnull=True))
    closed = list(Risk.objects.filter(closed_on=as_of))
    touched = [m.account_id for m in moves] + gone + [r.account_id for r in (*opened, *closed)]
    known = _known(touched)
    _notify(RED, [m.account_id for m in moves if m.after == "red"], known, as_of=as_of, now=now)
    _notify(RISKS, [r.account_id for r in opened if r.severity == Severity.HIGH], known, as_of=as_of, now=now)
    _notify(CHURNED, gone, known, as_of=as_of, now=now)
    if WebhookEndpoint.objects.filter(disabled_at__isnull=True, deleted_at__isnull=True).exists():
        _emit(moves, opened, closed, gone, known, as_of=as_of, now=now)
    return len(set(touched))


def _previous_night(as_of: date) -> date | None:
    nights = NightRun.objects.filter(as_of__lt=as_of, status=RunStatus.DONE)
    return nights.order_by("-as_of").values_list("as_of", flat=True).first()


def _band_moves(previous: date, as_of: date) -> list[_BandMove]:
    """Customers whose band is another one than at the night before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.account_id, p.band, h.band, p.score, h.score FROM health_healthscore h"
            " JOIN health_healthscore p ON p.workspace_id = h.workspace_id AND p.account_id = h.account_id"
            " AND p.as_of = %(previous)s JOIN health_accountstate s ON s.workspace_id = h.workspace_id"
            " AND s.account_id = h.account_id AND s.is_customer WHERE h.as_of = %(as_of)s"
            " AND h.band <> p.band AND h.band <> '' AND p.band <> '' ORDER BY h.account_id",
            {"previous": previous, "as_of": as_of},
        )
        return [_BandMove(*row) for row in cursor.fetchall()]


def _churned(previous: date, as_of: date) -> list[int]:
    """Accounts whose last subscription ended between the two nights."""
    zone = Workspace.objects.get(pk=current_workspace_id()).zone
    ended = MrrMovement.objects.filter(
        kind=MrrMovement.Kind.CHURN,
        occurred_at__gte=day_start(previous, zone),
        occurred_at__lt=day_start(as_of, zone),
    ).values("account_id")
    left = AccountState.objects.filter(account_id__in=ended, is_customer=False)
    return sorted(left.values_list("account_id", flat=True))


def _known(account_ids: Iterable[int]) -> dict[int, _Known]:
    rows = Account.objects.filter(pk__in=set(account_ids))
    fields = rows.values_list("pk", "public_id", "external_id", "name", "csm_id")
    return {row[0]: _Known(*row) for row in fields}


def _notify(
    kind: str, account_ids: Sequence[int], known: dict[int, _Known], *, as_of: date, now: datetime
) -> None:
    """One notification per CSM and night, naming the accounts."""
    by_csm: dict[int, list[_Known]] = defaultdict(list)
    for account_id in dict.fromkeys(account_ids):
        account = known[account_id]
        if account.csm_id is not None:
            by_csm[account.csm_id].append(account)
    for membership in Membership.objects.filter(pk__in=list(by_csm)).order_by("pk"):
        mine = sorted(by_csm[membership.pk], key=lambda account: account.name)
        single = Account.objects.get(pk=mine[0].id) if len(mine) == 1 else None
        notify(
            kind=kind,
            membership=membership,
            cause_key=as_of.isoformat(),
            context={"count": len(mine), "names": [account.name for account in mine[:_NAMED]]},
            account=single,
            now=now,
        )


def _emit(
    moves: Sequence[_BandMove],
    opened: Sequence[Risk],
    closed: Sequence[Risk],
    gone: Sequence[int],
    known: dict[int, _Known],
    *,
    as_of: date,
    now: datetime,
) -> None:
    day = as_of.isoformat()

    def tell(event: str, account_id: int, key: str, **more: Any) -> None:
        payload = {**_payload(known[account_id]), "as_of": day, **more}
        emit(event, payload, cause_key=f"{account_id}:{key}", now=now)

    for move in moves:
        scores = {"score_before": move.score_before, "score": move.score_after}
        tell(BAND_EVENT, move.account_id, day, band_before=move.before, band=move.after, **scores)
    for risk in opened:
        tell(RISK_EVENT, risk.account_id, str(risk.pk), cause=risk.cause, severity=risk.severity)
    for risk in closed:
        tell(RISK_CLOSED_EVENT, risk.account_id, str(risk.pk), cause=risk.cause)
    for account_id in gone:
        tell(CHURN_EVENT, account_id, day)


def _payload(account: _Known) -> dict[str, Any]:
    return {"account": str(account.public_id), "external_id": account.external_id, "name": account.name}
