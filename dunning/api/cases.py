"""`/api/v1/dunning-cases/`: failed payments, where each stands, and how it ended.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE
from accounts.api.schemas import OfAccount
from accounts.api.security import needs
from accounts.api.types import ExternalId, Moment, Paging
from dunning.models import DunningCase

router = Router(tags=["dunning cases"])


class CaseFilter(Paging):
    account: ExternalId | None = Field(None, description="the account's external_id")
    invoice: ExternalId | None = Field(None, description="the invoice's external_id")
    state: Literal["open", "recovered", "uncollectible", "canceled"] | None = None
    opened_since: Moment | None = None
    closed_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "account": "account__external_id",
            "invoice": "invoice__external_id",
            "state": "state",
            "opened_since": "opened_at__gte",
            "closed_since": "closed_at__gte",
        }
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class CaseOut(OfAccount):
    """One failed payment; money in minor units."""

    public_id: UUID
    invoice: str = Field(description="the invoice's external_id")
    invoice_number: str
    state: str = Field(description="open, recovered, uncollectible or canceled")
    phase: str = Field(
        description="what an open case waits for: waiting, planned_retry, retrying, waiting_for_card,"
        " waiting_for_confirmation, checking, stopped or handed; empty when it is over"
    )
    amount_minor: int = Field(description="owed when the case opened")
    recovered_minor: int
    currency: str
    decline_code: str = Field(description="of the last refusal")
    decline_class: str
    attempts: int = Field(description="failed tries, the first included")
    failed_at: datetime
    opened_at: datetime
    next_retry_at: datetime | None
    ends_at: datetime = Field(description="when collection ends if nothing happens")
    closed_at: datetime | None
    closing_reason: str
    recovered_by: str = Field(description="silent_retry, notice, person or elsewhere; empty unless recovered")

    @staticmethod
    def resolve_invoice(row: Any) -> str:
        return str(row.invoice.external_id)

    @staticmethod
    def resolve_invoice_number(row: Any) -> str:
        return str(row.invoice.number)


class CasePage(Schema):
    results: list[CaseOut]
    next: str | None = Field(description="address of the next page")


def _cases() -> Any:
    return DunningCase.objects.select_related("account", "invoice")


@router.get(
    "/dunning-cases/",
    response={200: CasePage, **READS},
    url_name="dunning_cases",
    operation_id="list_dunning_cases",
)
@needs("read")
def list_cases(request: HttpRequest, filters: Query[CaseFilter]) -> Any:
    """Failed payments in the order in which their cases opened, a page at a time."""
    return listed_page(request, _cases().filter(**filters.lookups()), filters)


@router.get(
    "/dunning-cases/{uuid:public_id}/",
    response={200: CaseOut, **READS_ONE},
    operation_id="get_dunning_case",
)
@needs("read")
def get_case(request: HttpRequest, public_id: UUID) -> Any:
    """One failed payment by its public id."""
    return get_object_or_404(_cases(), public_id=public_id)
