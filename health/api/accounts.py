"""`GET /api/v1/accounts/`: each account with its score, probability, causes and metrics.

No postponed annotations here: ninja reads them through the decorator, whose module lacks our names.
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from ninja import Router, Schema
from pydantic import Field

from accounts.api.cursors import cursor_after, id_of
from accounts.api.problems import ProblemSchema
from accounts.api.security import needs
from health.queries.api_accounts import AccountRow, account_rows

router = Router(tags=["accounts"])
PROBLEMS = {401: ProblemSchema, 403: ProblemSchema, 422: ProblemSchema, 503: ProblemSchema}


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


class AccountPage(Schema):
    results: list[AccountOut]
    next: str | None = Field(description="address of the next page")


@router.get(
    "/accounts/", response={200: AccountPage, **PROBLEMS}, url_name="accounts", operation_id="list_accounts"
)
@needs("read")
def list_accounts(
    request: HttpRequest,
    external_id: Annotated[str | None, Field(max_length=200)] = None,
    cursor: Annotated[str | None, Field(max_length=100)] = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    after = id_of(cursor) if cursor else 0
    rows = account_rows(after=after, limit=limit + 1, external_id=external_id)
    more = len(rows) > limit
    link = None
    if more:
        address = request.build_absolute_uri(reverse("api-1.0:accounts"))
        link = f"{address}?cursor={cursor_after(rows[limit - 1].id)}&limit={limit}"
    return {"results": rows[:limit], "next": link}


@router.get(
    "/accounts/{uuid:public_id}/",
    response={200: AccountOut, 404: ProblemSchema, **PROBLEMS},
    operation_id="get_account",
)
@needs("read")
def get_account(request: HttpRequest, public_id: UUID) -> AccountRow:
    rows = account_rows(limit=1, public_id=public_id)
    if not rows:
        raise Http404
    return rows[0]
