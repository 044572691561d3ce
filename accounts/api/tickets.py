"""Support tickets: read from the mirror, written by their `external_id`.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from accounts.api.batches import BatchOut, rows_of, upsert_batch
from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE, WRITES
from accounts.api.schemas import TicketOut
from accounts.api.security import needs
from accounts.api.types import Body, ExternalId, Moment, Properties, Short, SyncPaging, may_be_absent
from accounts.api.writing import writes
from accounts.queries.api import tickets
from accounts.services.upserts import Given, upsert_row

router = Router(tags=["tickets"])


class TicketFilter(SyncPaging):
    external_id: ExternalId | None = None
    account: ExternalId | None = Field(None, description="the account's external_id")
    is_open: bool | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    opened_since: Moment | None = None
    closed_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "external_id": "external_id",
            "account": "account__external_id",
            "is_open": "closed_at__isnull",
            "priority": "priority",
            "opened_since": "opened_at__gte",
            "closed_since": "closed_at__gte",
        }
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class TicketIn(Body):
    external_id: ExternalId
    account: ExternalId = Field(description="external_id of an account that exists")
    contact: Short | None = Field(None, description="external_id or mail address of a contact that exists")
    subject: Short | None = Field(None, max_length=500)
    opened_at: Moment
    closed_at: Moment | None = None
    priority: Literal["low", "normal", "high", "urgent"] = may_be_absent()
    satisfaction: float | None = Field(None, ge=1, le=5, strict=True)
    properties: Properties = Field(default_factory=dict, description="merged into what is there")


class TicketBatch(Body):
    rows: rows_of(TicketIn)  # type: ignore[valid-type]


class TicketPage(Schema):
    results: list[TicketOut]
    next: str | None = Field(description="address of the next page")


@router.get("/tickets/", response={200: TicketPage, **READS}, url_name="tickets", operation_id="list_tickets")
@needs("read")
def list_tickets(request: HttpRequest, filters: Query[TicketFilter]) -> Any:
    """Tickets by ascending age in this system, a page at a time."""
    rows = tickets().filter(**filters.lookups())
    return listed_page(request, rows, filters)


@router.get("/tickets/{uuid:public_id}/", response={200: TicketOut, **READS_ONE}, operation_id="get_ticket")
@needs("read")
def get_ticket(request: HttpRequest, public_id: UUID) -> Any:
    """One ticket by its public id."""
    return get_object_or_404(tickets(), public_id=public_id)


def _given(body: TicketIn) -> Given:
    return Given(body.model_dump(exclude={"properties"}, exclude_unset=True), body.properties)


@router.put("/tickets/", response={200: TicketOut, 201: TicketOut, **WRITES}, operation_id="upsert_ticket")
@writes(TicketOut)
def upsert_ticket(request: HttpRequest, body: TicketIn) -> Status[Any]:
    """Create the ticket with this `external_id` (201) or update it (200). What is left out stays; null empties."""
    given = _given(body)
    done = upsert_row(kind="tickets", values=given.values, extras=given.extras, now=timezone.now())
    code = 201 if done.created else 200
    return Status(code, tickets().get(external_id=body.external_id.strip()))


@router.post("/tickets/batch/", response={200: BatchOut, **WRITES}, operation_id="upsert_tickets")
@writes(BatchOut)
def upsert_tickets(request: HttpRequest, body: TicketBatch) -> Status[Any]:
    """Create or update up to 500 tickets; a row that is refused has its own `errors`, the others are written."""
    return upsert_batch("tickets", TicketIn, body.rows, _given)
