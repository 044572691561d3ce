"""`/api/v1/accounts/{id}/payment-notice/`: whether a banner about a failed payment is due, and what it says.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE
from accounts.api.schemas import OfAccount
from accounts.api.security import needs
from accounts.api.types import ExternalId, Paging
from accounts.models import Account
from dunning.models import DunningCase
from dunning.services.banner import Banner, banner_of, banners_of

router = Router(tags=["payment notices"])


class PaymentNoticeFilter(Paging):
    account: ExternalId | None = Field(None, description="the account's external_id")


class OwedOut(Schema):
    amount_minor: int
    currency: str


class PaymentNoticeOut(OfAccount):
    """Null where nothing is due. The message comes in the language of `Accept-Language`."""

    is_due: bool = Field(description="from the first notice on until it is paid, stopped or given up")
    amounts: list[OwedOut] | None = Field(
        description="what is owed: one per currency, that of the oldest invoice first"
    )
    invoices: list[str] = Field(description="numbers of the invoices")
    since: datetime | None = Field(description="the first failure")
    ends_at: datetime | None = Field(description="when collection ends")
    message: str | None = Field(description="words for a banner, as the workspace wrote them")
    pay_url: str | None = Field(
        description="the account's card page: show it only to whoever may pay; it opens without a login"
    )


class PaymentNoticePage(Schema):
    results: list[PaymentNoticeOut]
    next: str | None = Field(description="address of the next page")


@router.get(
    "/payment-notices/",
    response={200: PaymentNoticePage, **READS},
    url_name="payment_notices",
    operation_id="list_payment_notices",
)
@needs("read")
def list_payment_notices(request: HttpRequest, filters: Query[PaymentNoticeFilter]) -> Any:
    """Accounts with a payment that failed, each with its banner; with `account` by your own id."""
    open_cases = DunningCase.objects.filter(state="open").values("account_id")
    rows = Account.objects.filter(pk__in=open_cases)
    if filters.account is not None:
        rows = rows.filter(external_id=filters.account)
    page = listed_page(request, rows, filters)
    return page | {"results": banners_of(page["results"], now=timezone.now())}


@router.get(
    "/accounts/{uuid:public_id}/payment-notice/",
    response={200: PaymentNoticeOut, **READS_ONE},
    operation_id="get_payment_notice",
)
@needs("read")
def get_payment_notice(request: HttpRequest, public_id: UUID) -> Banner:
    """The banner of one account; `is_due` is false where there is nothing to say."""
    return banner_of(get_object_or_404(Account.objects.all(), public_id=public_id), now=timezone.now())
