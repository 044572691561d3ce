"""Invoices: read from the mirror, written by their `external_id`.

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
from accounts.api.schemas import InvoiceOut
from accounts.api.security import needs
from accounts.api.types import (
    Body,
    Currency,
    ExternalId,
    MinorUnits,
    Moment,
    Properties,
    Short,
    SyncPaging,
    may_be_absent,
)
from accounts.api.writing import writes
from accounts.queries.api import invoices
from accounts.services.upserts import Given, upsert_row
from cs_platform.lib.money import to_major

router = Router(tags=["invoices"])


class InvoiceFilter(SyncPaging):
    external_id: ExternalId | None = None
    account: ExternalId | None = Field(None, description="the account's external_id")
    status: Literal["draft", "open", "paid", "void", "uncollectible"] | None = None
    due_since: Moment | None = None
    paid_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "external_id": "external_id",
            "account": "account__external_id",
            "status": "status",
            "due_since": "due_at__gte",
            "paid_since": "paid_at__gte",
        }
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class InvoiceIn(Body):
    external_id: ExternalId
    account: ExternalId = Field(description="external_id of an account that exists")
    subscription: Short | None = Field(None, description="external_id of a subscription of the account")
    amount_minor: MinorUnits
    currency: Currency
    status: Literal["draft", "open", "paid", "void", "uncollectible"] = may_be_absent()
    due_at: Moment
    paid_at: Moment | None = None
    attempts: int | None = Field(None, ge=0, le=100, strict=True, description="tries to collect it so far")
    last_error: Short | None = Field(None, max_length=60, description="decline code of the last try")
    properties: Properties = Field(default_factory=dict, description="merged into what is there")


class InvoiceBatch(Body):
    rows: rows_of(InvoiceIn)  # type: ignore[valid-type]


class InvoicePage(Schema):
    results: list[InvoiceOut]
    next: str | None = Field(description="address of the next page")


@router.get(
    "/invoices/", response={200: InvoicePage, **READS}, url_name="invoices", operation_id="list_invoices"
)
@needs("read")
def list_invoices(request: HttpRequest, filters: Query[InvoiceFilter]) -> Any:
    """Invoices by ascending age in this system, a page at a time."""
    rows = invoices().filter(**filters.lookups())
    return listed_page(request, rows, filters)


@router.get(
    "/invoices/{uuid:public_id}/", response={200: InvoiceOut, **READS_ONE}, operation_id="get_invoice"
)
@needs("read")
def get_invoice(request: HttpRequest, public_id: UUID) -> Any:
    """One invoice by its public id."""
    return get_object_or_404(invoices(), public_id=public_id)


def _given(body: InvoiceIn) -> Given:
    values = body.model_dump(exclude={"amount_minor", "properties"}, exclude_unset=True)
    return Given(values | {"amount": to_major(body.amount_minor, body.currency)}, body.properties)


@router.put(
    "/invoices/", response={200: InvoiceOut, 201: InvoiceOut, **WRITES}, operation_id="upsert_invoice"
)
@writes(InvoiceOut)
def upsert_invoice(request: HttpRequest, body: InvoiceIn) -> Status[Any]:
    """Create the invoice with this `external_id` (201) or update it (200). What is left out stays; null empties."""
    given = _given(body)
    done = upsert_row(kind="invoices", values=given.values, extras=given.extras, now=timezone.now())
    code = 201 if done.created else 200
    return Status(code, invoices().get(external_id=body.external_id.strip()))


@router.post("/invoices/batch/", response={200: BatchOut, **WRITES}, operation_id="upsert_invoices")
@writes(BatchOut)
def upsert_invoices(request: HttpRequest, body: InvoiceBatch) -> Status[Any]:
    """Create or update up to 500 invoices; a row that is refused has its own `errors`, the others are written."""
    return upsert_batch("invoices", InvoiceIn, body.rows, _given)
