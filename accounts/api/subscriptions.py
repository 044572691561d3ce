"""Subscriptions: read from the mirror, written by their `external_id`.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from typing import Any, Literal, Self
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, model_validator

from accounts.api.batches import BatchOut, rows_of, upsert_batch
from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE, WRITES
from accounts.api.schemas import SubscriptionOut
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
from accounts.queries.api import subscriptions
from accounts.services.upserts import Given, upsert_row
from cs_platform.lib.money import to_major

router = Router(tags=["subscriptions"])


class SubscriptionFilter(SyncPaging):
    external_id: ExternalId | None = None
    account: ExternalId | None = Field(None, description="the account's external_id")
    status: Literal["active", "canceled"] | None = None
    started_since: Moment | None = None
    ended_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "external_id": "external_id",
            "account": "account__external_id",
            "status": "status",
            "started_since": "started_at__gte",
            "ended_since": "ended_at__gte",
        }
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class SubscriptionIn(Body):
    external_id: ExternalId
    account: ExternalId = Field(description="external_id of an account that exists")
    plan: Short | None = Field(None, description="name; a plan that is not known yet is made")
    mrr_minor: MinorUnits = may_be_absent(description="monthly, in minor units; needs `currency`")
    currency: Currency = may_be_absent()
    seats: int | None = Field(None, ge=0, le=2_000_000_000, strict=True)
    billing_interval: Literal["month", "quarter", "year"] = may_be_absent()
    started_at: Moment
    ended_at: Moment | None = None
    renews_at: Moment | None = None
    ended_reason: (
        Literal[
            "customer_service",
            "low_quality",
            "missing_features",
            "switched_service",
            "too_complex",
            "too_expensive",
            "unused",
            "other",
        ]
        | None
    ) = None
    ended_cause: Literal["voluntary", "involuntary", "unknown"] | None = None
    effective_at: Moment = may_be_absent(description="when other terms begin; default: now")
    properties: Properties = Field(default_factory=dict, description="merged into what is there")

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> Self:
        if self.mrr_minor is not None and self.currency is None:
            raise ValueError("mrr_minor needs currency")
        return self


class SubscriptionBatch(Body):
    rows: rows_of(SubscriptionIn)  # type: ignore[valid-type]


class SubscriptionPage(Schema):
    results: list[SubscriptionOut]
    next: str | None = Field(description="address of the next page")


@router.get(
    "/subscriptions/",
    response={200: SubscriptionPage, **READS},
    url_name="subscriptions",
    operation_id="list_subscriptions",
)
@needs("read")
def list_subscriptions(request: HttpRequest, filters: Query[SubscriptionFilter]) -> Any:
    """Subscriptions by ascending age in this system, a page at a time."""
    rows = subscriptions().filter(**filters.lookups())
    return listed_page(request, rows, filters)


@router.get(
    "/subscriptions/{uuid:public_id}/",
    response={200: SubscriptionOut, **READS_ONE},
    operation_id="get_subscription",
)
@needs("read")
def get_subscription(request: HttpRequest, public_id: UUID) -> Any:
    """One subscription by its public id."""
    return get_object_or_404(subscriptions(), public_id=public_id)


def _given(body: SubscriptionIn) -> Given:
    values = body.model_dump(exclude={"mrr_minor", "properties"}, exclude_unset=True)
    if body.mrr_minor is not None and body.currency is not None:
        values["mrr"] = to_major(body.mrr_minor, body.currency)
    return Given(values, body.properties)


@router.put(
    "/subscriptions/",
    response={200: SubscriptionOut, 201: SubscriptionOut, **WRITES},
    operation_id="upsert_subscription",
)
@writes(SubscriptionOut)
def upsert_subscription(request: HttpRequest, body: SubscriptionIn) -> Status[Any]:
    """Create the subscription with this `external_id` (201) or update it (200). What is left out stays; null empties."""
    given = _given(body)
    done = upsert_row(kind="subscriptions", values=given.values, extras=given.extras, now=timezone.now())
    code = 201 if done.created else 200
    return Status(code, subscriptions().get(external_id=body.external_id.strip()))


@router.post("/subscriptions/batch/", response={200: BatchOut, **WRITES}, operation_id="upsert_subscriptions")
@writes(BatchOut)
def upsert_subscriptions(request: HttpRequest, body: SubscriptionBatch) -> Status[Any]:
    """Create or update up to 500 subscriptions; a row that is refused has its own `errors`, the others are written."""
    return upsert_batch("subscriptions", SubscriptionIn, body.rows, _given)
