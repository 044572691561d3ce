"""Scores, predictions and risks as the API lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from accounts.models import Account
from cs_platform.lib.scoping import ScopedQuerySet
from health.models import ChurnPrediction, HealthScore, Risk, ScorecardVersion
from health.queries.causes import RISK, cause_of
from health.queries.keyset import Column, Order

# The unique keys of the tables, backwards: the newest day first, without a sort.
SCORES = Order("api.scores", (Column("as_of", descending=True), Column("account_id", descending=True)))
PREDICTIONS = Order(
    "api.predictions",
    (
        Column("as_of", descending=True),
        Column("account_id", descending=True),
        Column("version_id", descending=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Points:
    """What one measure gave; None without data."""

    metric: str
    points: float | None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score with the points of each measure, which sum to it before a cap."""

    account: Account
    as_of: date
    score: float | None
    band: str | None
    coverage: float
    cap: float | None
    scorecard: str
    version: int
    contributions: list[Points]


def scores() -> ScopedQuerySet:
    found: ScopedQuerySet = HealthScore.objects.select_related("account", "version__scorecard")
    return found


def score_rows(rows: Iterable[HealthScore]) -> list[ScoreRow]:
    """Each version is read once, however many scores it made."""
    metrics: dict[int, list[str]] = {}
    found = []
    for row in rows:
        if row.version_id not in metrics:
            metrics[row.version_id] = _metrics(row.version)
        found.append(_score_row(row, metrics[row.version_id]))
    return found


def _score_row(row: HealthScore, metrics: list[str]) -> ScoreRow:
    return ScoreRow(
        account=row.account,
        as_of=row.as_of,
        score=row.score,
        band=row.band or None,
        coverage=row.coverage,
        cap=row.cap,
        scorecard=row.version.scorecard.name,
        version=row.version.number,
        contributions=[Points(n, points) for n, points in zip(metrics, row.contributions, strict=False)],
    )


def _metrics(version: ScorecardVersion) -> list[str]:
    from health.scoring import parse_definition

    return [measure.metric for measure in parse_definition(version.definition).measures]


def predictions() -> ScopedQuerySet:
    """Without the model's record, which is large and the same for all."""
    found: ScopedQuerySet = ChurnPrediction.objects.select_related("account", "version").only(
        "as_of",
        "probability",
        "reasons",
        "account__public_id",
        "account__external_id",
        "version__number",
        "version__horizon_days",
    )
    return found


def risks() -> ScopedQuerySet:
    found: ScopedQuerySet = Risk.objects.select_related("account")
    return found


def sentence_of(risk: Risk) -> str:
    """The risk in words, with its numbers."""
    opened: date = risk.opened_on
    return cause_of(RISK + risk.cause, risk.evidence, risk.severity, opened).sentence
