"""Scores, predictions and risks.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.api.pages import listed_page, next_page
from accounts.api.problems import READS, READS_ONE, Problem
from accounts.api.schemas import OfAccount
from accounts.api.security import needs
from accounts.api.types import Day, ExternalId, Paging, Short
from cs_platform.lib.scoping import ScopedQuerySet
from health.models import Severity
from health.queries import api_measures
from health.queries.keyset import Order, Page, page_of

router = Router(tags=["measures"])
SEVERITIES = {Severity.LOW: "low", Severity.MEDIUM: "medium", Severity.HIGH: "high"}


class DayFilter(Paging):
    account: ExternalId | None = Field(None, description="the account's external_id")
    as_of: Day | None = None
    since: Day | None = Field(None, description="this day or later")
    until: Day | None = Field(None, description="this day or earlier")

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "account": "account__external_id",
            "as_of": "as_of",
            "since": "as_of__gte",
            "until": "as_of__lte",
        }
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class ScoreFilter(DayFilter):
    band: Literal["red", "yellow", "green"] | None = None

    def lookups(self) -> dict[str, Any]:
        found = super().lookups()
        return found | {"band": self.band} if self.band else found


class Contribution(Schema):
    metric: str
    points: float | None = Field(description="null: this measure had no data")


class ScoreOut(OfAccount):
    """The points sum to the score, before a cap."""

    as_of: date
    score: float | None
    band: str | None
    coverage: float = Field(description="share of the scorecard's weight that had data")
    cap: float | None = Field(description="what an exception limited the score to")
    scorecard: str
    version: int
    contributions: list[Contribution]


class ScorePage(Schema):
    results: list[ScoreOut]
    next: str | None = Field(description="address of the next page")


class Reason(Schema):
    feature: str
    value: float | str | None = None
    effect: float = Field(description="in log-odds; above zero: makes churn likelier")


class PredictionOut(OfAccount):
    as_of: date
    model_number: int = Field(description="which trained model said so")
    horizon_days: int
    probability: float | None = Field(description="null: the data were too thin")
    reasons: list[Reason]

    @staticmethod
    def resolve_model_number(row: Any) -> int:
        return int(row.version.number)

    @staticmethod
    def resolve_horizon_days(row: Any) -> int:
        return int(row.version.horizon_days)


class PredictionPage(Schema):
    results: list[PredictionOut]
    next: str | None = Field(description="address of the next page")


class RiskFilter(Paging):
    account: ExternalId | None = Field(None, description="the account's external_id")
    cause: Short | None = None
    severity: Literal["low", "medium", "high"] | None = None
    is_open: bool | None = None
    opened_since: Day | None = None
    closed_since: Day | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "account": "account__external_id",
            "cause": "cause",
            "is_open": "closed_on__isnull",
            "opened_since": "opened_on__gte",
            "closed_since": "closed_on__gte",
        }
        found = {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}
        if self.severity is not None:
            found["severity"] = next(s for s, word in SEVERITIES.items() if word == self.severity)
        return found


class RiskOut(OfAccount):
    public_id: UUID
    cause: str
    sentence: str = Field(description="the cause in words, with its numbers")
    severity: str = Field(description="low, medium or high")
    evidence: dict[str, Any]
    opened_on: date
    refreshed_on: date
    closed_on: date | None

    @staticmethod
    def resolve_severity(row: Any) -> str:
        return SEVERITIES[Severity(row.severity)]

    @staticmethod
    def resolve_sentence(row: Any) -> str:
        return api_measures.sentence_of(row)


class RiskPage(Schema):
    results: list[RiskOut]
    next: str | None = Field(description="address of the next page")


@router.get("/scores/", response={200: ScorePage, **READS}, url_name="scores", operation_id="list_scores")
@needs("read")
def list_scores(request: HttpRequest, filters: Query[ScoreFilter]) -> Any:
    """Health scores with the points of each measure, the newest day first; with `account` its history."""
    page = page_by_order(api_measures.scores().filter(**filters.lookups()), api_measures.SCORES, filters)
    return {
        "results": api_measures.score_rows(page.rows),
        "next": next_page(request, page.after) if page.after else None,
    }


@router.get(
    "/predictions/",
    response={200: PredictionPage, **READS},
    url_name="predictions",
    operation_id="list_predictions",
)
@needs("read")
def list_predictions(request: HttpRequest, filters: Query[DayFilter]) -> Any:
    """Churn probabilities with their reasons, the newest day first."""
    rows = api_measures.predictions().filter(**filters.lookups())
    page = page_by_order(rows, api_measures.PREDICTIONS, filters)
    return {"results": page.rows, "next": next_page(request, page.after) if page.after else None}


@router.get("/risks/", response={200: RiskPage, **READS}, url_name="risks", operation_id="list_risks")
@needs("read")
def list_risks(request: HttpRequest, filters: Query[RiskFilter]) -> Any:
    """Named problems of accounts, open and closed."""
    return listed_page(request, api_measures.risks().filter(**filters.lookups()), filters)


@router.get("/risks/{uuid:public_id}/", response={200: RiskOut, **READS_ONE}, operation_id="get_risk")
@needs("read")
def get_risk(request: HttpRequest, public_id: UUID) -> Any:
    """One risk by its public id."""
    return get_object_or_404(api_measures.risks(), public_id=public_id)


def page_by_order(rows: ScopedQuerySet, order: Order, filters: Paging) -> Page:
    """A page in another order than by id. Raises Problem 422 for a cursor that is none of this list's."""
    check_cursor(order, filters.cursor)
    return page_of(rows, order, after=filters.cursor or "", size=filters.limit)


def check_cursor(order: Order, cursor: str | None) -> None:
    if cursor and order.read(cursor) is None:
        raise Problem(422, "invalid_cursor", "Use a cursor from `next` as it was given.")
