"""`/api/v1/accounts/`: each account with its score, probability, causes and metrics; written by its external id.

No postponed annotations here: ninja reads them through the decorator, whose module lacks our names.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from accounts.api.batches import BatchOut, rows_of, upsert_batch
from accounts.api.pages import page_of_rows, place_of
from accounts.api.problems import READS, READS_ONE, WRITES, WRITES_ONE, invalid
from accounts.api.security import needs
from accounts.api.types import (
    Address,
    Body,
    Day,
    ExternalId,
    Moment,
    Properties,
    Short,
    SyncPaging,
    may_be_absent,
)
from accounts.api.writing import writes
from accounts.models import Account, Membership
from accounts.services.upserts import Given, upsert_row
from health.queries.api_accounts import AccountRow, account_rows
from health.queries.segment_filter import in_segments
from health.services.queue import assign_accounts

router = Router(tags=["accounts"])


class AccountFilter(SyncPaging):
    external_id: ExternalId | None = None
    csm: Short | None = Field(None, description="mail address of the responsible CSM; `none` for nobody")
    band: Literal["red", "yellow", "green"] | None = None
    segment: UUID | None = Field(None, description="public_id of a segment")
    as_of_since: Day | None = Field(None, description="measured on this day or later")

    def where(self) -> Q:
        """The filters as one condition on accounts."""
        found = Q()
        if self.csm is not None:
            found &= Q(csm__isnull=True) if self.csm == "none" else Q(csm__user__email__iexact=self.csm)
        if self.band is not None:
            found &= Q(state__health_band=self.band)
        if self.as_of_since is not None:
            found &= Q(state__as_of__gte=self.as_of_since)
        return found & in_segments([str(self.segment)], "pk") if self.segment else found


class AccountOut(Schema):
    """Money in minor units; scores 0 to 100; null where nothing is known."""

    public_id: UUID
    external_id: str
    name: str
    csm: str | None = Field(description="mail address of the responsible CSM")
    plan: str | None
    arr_minor: int
    currency: str
    health_score: float | None
    health_band: str | None = Field(description="red, yellow or green")
    coverage: float | None = Field(description="share of the scorecard's weight that had data")
    churn_probability: float | None = Field(description="null while no model is live or data are too thin")
    horizon_days: int | None
    expected_loss_minor: int
    causes: list[str] = Field(description="open risks, the worst first")
    metrics: dict[str, float | None]
    events_total: int
    as_of: date | None
    updated_at: datetime = Field(
        description="when name, CSM and the other columns of its own last changed, for `updated_since`; "
        "scores have `as_of`"
    )


class AccountPage(Schema):
    results: list[AccountOut]
    next: str | None = Field(description="address of the next page")


class AccountIn(Body):
    external_id: ExternalId
    name: Short = may_be_absent(max_length=300, description="default: the external_id")
    domain: Short | None = None
    industry: Short | None = Field(None, max_length=100)
    country: Short | None = Field(None, max_length=60)
    csm: Address | None = Field(None, description="mail address of a member; null: nobody")
    created_at: Moment = may_be_absent(description="when the customer began, in your own records")
    traits: Properties = Field(
        default_factory=dict, description="columns of your own, typed by their first value"
    )


class AccountBatch(Body):
    rows: rows_of(AccountIn)  # type: ignore[valid-type]


class CsmIn(Body):
    csm: Address | None = Field(description="mail address of a member; null: nobody")


@router.get(
    "/accounts/", response={200: AccountPage, **READS}, url_name="accounts", operation_id="list_accounts"
)
@needs("read")
def list_accounts(request: HttpRequest, filters: Query[AccountFilter]) -> dict[str, Any]:
    """Accounts with score, probability, causes and metrics, a page at a time."""
    place = place_of(filters)
    rows = account_rows(
        limit=filters.limit + 1,
        external_id=filters.external_id,
        where=filters.where() & place.where,
        order=place.order,
    )
    return page_of_rows(request, rows, filters)


@router.get(
    "/accounts/{uuid:public_id}/", response={200: AccountOut, **READS_ONE}, operation_id="get_account"
)
@needs("read")
def get_account(request: HttpRequest, public_id: UUID) -> AccountRow:
    """One account by its public id."""
    rows = account_rows(limit=1, public_id=public_id)
    if not rows:
        raise Http404
    return rows[0]


def _given(body: AccountIn) -> Given:
    values = body.model_dump(exclude={"csm", "traits"}, exclude_unset=True)
    if "csm" in body.model_fields_set:
        values["csm_email"] = body.csm
    return Given(values, body.traits)


@router.put(
    "/accounts/", response={200: AccountOut, 201: AccountOut, **WRITES}, operation_id="upsert_account"
)
@writes(AccountOut)
def upsert_account(request: HttpRequest, body: AccountIn) -> Status[Any]:
    """Create the account with this `external_id` (201) or update it (200). What is left out stays; null empties."""
    given = _given(body)
    done = upsert_row(kind="accounts", values=given.values, extras=given.extras, now=timezone.now())
    [row] = account_rows(limit=1, external_id=body.external_id.strip())
    return Status(201 if done.created else 200, row)


@router.post("/accounts/batch/", response={200: BatchOut, **WRITES}, operation_id="upsert_accounts")
@writes(BatchOut)
def upsert_accounts(request: HttpRequest, body: AccountBatch) -> Status[Any]:
    """Create or update up to 500 accounts; a row that is refused has its own `errors`, the others are written."""
    return upsert_batch("accounts", AccountIn, body.rows, _given)


@router.put(
    "/accounts/{uuid:public_id}/csm/", response={200: AccountOut, **WRITES_ONE}, operation_id="assign_csm"
)
@writes(AccountOut)
def assign_csm(request: HttpRequest, public_id: UUID, body: CsmIn) -> Status[Any]:
    """Give the account to a CSM, at once in lists and queue."""
    account = get_object_or_404(Account, public_id=public_id)
    csm = None
    if body.csm is not None:
        csm = Membership.objects.filter(user__email__iexact=body.csm, is_active=True).first()
        if csm is None:
            raise invalid("csm", "unknown_csm", "no member has this mail address")
    assign_accounts(accounts=[account], csm=csm, acting_user=None, now=timezone.now())
    return Status(200, account_rows(limit=1, public_id=public_id)[0])
