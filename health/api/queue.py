"""The queue: which accounts need somebody, in which order, why; and the acts on it.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from accounts.api.pages import next_page
from accounts.api.problems import READS, WRITES_ONE, invalid
from accounts.api.schemas import OfAccount
from accounts.api.security import needs
from accounts.api.types import Body, Day, Paging, Short
from accounts.api.writing import writes
from health.api.measures import SEVERITIES, check_cursor
from health.models import QueueEntry, Severity
from health.queries.api_queue import QueueAsked, ranked, today_here
from health.services.queue import resolve_accounts, snooze_accounts

router = Router(tags=["queue"])


class QueueQuery(Paging):
    csm: Short | None = Field(None, description="mail address of the responsible CSM; `none` for nobody")
    band: Literal["red", "yellow", "green"] | None = None
    cause: Short | None = Field(None, description="source of an open item, such as risk:usage_dropped")
    segment: UUID | None = Field(None, description="public_id of a segment")
    snoozed: bool = Field(False, description="the ones put off instead of the ones to do")


class CauseOut(Schema):
    source: str
    label: str
    sentence: str = Field(description="in words, with its numbers")
    severity: str = Field(description="low, medium or high")
    opened_on: date

    @staticmethod
    def resolve_severity(row: Any) -> str:
        return SEVERITIES[Severity(row.severity)]


class QueueOut(OfAccount):
    """One account; the order of the list is the order of work."""

    name: str
    csm: str | None = Field(description="mail address of the responsible CSM")
    expected_loss_minor: int
    currency: str
    arr_minor: int
    churn_probability: float | None
    health_score: float | None
    health_band: str | None
    opened_on: date
    snoozed_until: date | None
    causes: list[CauseOut]


class QueuePage(Schema):
    results: list[QueueOut]
    next: str | None = Field(description="address of the next page")


class SnoozeIn(Body):
    until: Day = Field(description="a day after today; then the account is back")
    note: Short = Field("", max_length=500)


class ResolveIn(Body):
    result: Literal["helped", "no_answer", "not_needed", "lost"]
    note: Short = Field("", max_length=2000)


class ReceiptOut(Schema):
    """What was done; a member can undo it in the browser as one act."""

    public_id: UUID
    verb: str
    acted_at: Any = Field(
        description="date-time", json_schema_extra={"type": "string", "format": "date-time"}
    )


@router.get("/queue/", response={200: QueuePage, **READS}, url_name="queue", operation_id="list_queue")
@needs("read")
def list_queue(request: HttpRequest, filters: Query[QueueQuery]) -> Any:
    """Accounts with open causes, the largest expected loss first; what is put off or let go is left out."""
    asked = QueueAsked(
        csm=filters.csm,
        band=filters.band,
        cause=filters.cause,
        segment=str(filters.segment) if filters.segment else None,
        snoozed=filters.snoozed,
        after=filters.cursor or "",
    )
    check_cursor(asked.order, filters.cursor)
    rows, after = ranked(asked, size=filters.limit, today=today_here(timezone.now()))
    return {"results": rows, "next": next_page(request, after) if after else None}


@router.post(
    "/queue/{uuid:public_id}/snooze/", response={200: ReceiptOut, **WRITES_ONE}, operation_id="snooze_account"
)
@writes(ReceiptOut)
def snooze(request: HttpRequest, public_id: UUID, body: SnoozeIn) -> Status[Any]:
    """Put an account of the queue off until a day, by the account's public id."""
    entry = _entry(public_id)
    now = timezone.now()
    if body.until <= today_here(now):
        raise invalid("until", "not_in_the_future", "take a day after today")
    receipt = snooze_accounts(
        accounts=[entry.account], until=body.until, note=body.note, acting_user=None, now=now
    )
    return Status(200, receipt)


@router.post(
    "/queue/{uuid:public_id}/resolve/",
    response={200: ReceiptOut, **WRITES_ONE},
    operation_id="resolve_account",
)
@writes(ReceiptOut)
def resolve(request: HttpRequest, public_id: UUID, body: ResolveIn) -> Status[Any]:
    """Close what is open for an account with a result, by the account's public id."""
    entry = _entry(public_id)
    receipt = resolve_accounts(
        accounts=[entry.account], result=body.result, note=body.note, acting_user=None, now=timezone.now()
    )
    return Status(200, receipt)


def _entry(public_id: UUID) -> QueueEntry:
    rows = QueueEntry.objects.select_related("account")
    found: QueueEntry = get_object_or_404(rows, account__public_id=public_id)
    return found
