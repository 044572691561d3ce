"""The queue as the API shows it: the page's own query, without a member who looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from accounts.models import Account, Membership, Workspace
from cs_platform.lib.scoping import current_workspace_id
from health.queries.causes import Cause
from health.queries.keyset import Order
from health.queries.queue import QueueRow, queue_page
from health.queries.queue_filter import QueueFilter

NOBODY = "none"


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One account of the queue; see `health/api/queue.py` for the meaning of each field."""

    account: Account
    name: str
    csm: str | None
    expected_loss_minor: int
    currency: str
    arr_minor: int
    churn_probability: float | None
    health_score: float | None
    health_band: str | None
    opened_on: date
    snoozed_until: date | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class QueueAsked:
    """Filters and place; `csm` is a mail address or `none`, `segment` a public id."""

    csm: str | None = None
    band: str | None = None
    cause: str | None = None
    segment: str | None = None
    snoozed: bool = False
    after: str = ""

    @property
    def order(self) -> Order:
        return self._filter("all").order

    def filter(self) -> QueueFilter:
        return self._filter(self._csm())

    def _filter(self, csm: str) -> QueueFilter:
        return QueueFilter(
            csm=csm,
            view="snoozed" if self.snoozed else "",
            bands=(self.band,) if self.band else (),
            causes=(self.cause,) if self.cause else (),
            segments=(self.segment,) if self.segment else (),
            after=self.after,
        )

    def _csm(self) -> str:
        if self.csm is None:
            return "all"
        if self.csm == NOBODY:
            return "none"
        member = Membership.objects.filter(user__email__iexact=self.csm).first()
        return str(member.public_id) if member else "unknown"


def ranked(asked: QueueAsked, *, size: int, today: date) -> tuple[list[RankedRow], str]:
    """Rows in the order of work, and the cursor of the next page ("" at the end); four queries."""
    # Only a filter by "mine" looks at the member, and there is none here.
    page = queue_page(asked.filter(), membership=None, today=today, size=size)  # type: ignore[arg-type]
    return [_row(row) for row in page.rows], page.after


def today_here(now: datetime) -> date:
    """The workspace's local day."""
    return now.astimezone(Workspace.objects.get(pk=current_workspace_id()).zone).date()


def _row(row: QueueRow) -> RankedRow:
    state = row.state
    return RankedRow(
        account=row.account,
        name=row.account.name,
        csm=row.csm_email,
        expected_loss_minor=state.expected_loss_minor,
        currency=state.currency,
        arr_minor=state.arr_minor,
        churn_probability=state.churn_probability,
        health_score=state.health_score,
        health_band=state.health_band or None,
        opened_on=row.opened_on,
        snoozed_until=row.snoozed_until,
        causes=row.causes,
    )
