"""One account's score taken apart: its parts today, and why it moved since four weeks ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateField, ExpressionWrapper, F, Func, JSONField, Q, Subquery
from django.utils.translation import gettext

from accounts.models import Account
from health.models import AccountSnapshot, HealthScore, MetricPosition
from health.queries.metric_words import MetricWords, metric_words

if TYPE_CHECKING:
    from health.scoring import Change, MetricTable, ScorecardDefinition

LEDGER_DAYS = 28
# Five half-lives of the slowest usual measure: older values have expired in any case.
LOOK_BACK_DAYS = 75


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One measure's line. Contribution and weight in points of the score; they sum to it with the cap."""

    label: str
    value: str
    state: str
    weight: float
    contribution: float
    age_days: int
    description: str = ""

    @property
    def is_missing(self) -> bool:
        return self.state == "missing"

    @property
    def full(self) -> float:
        """Points this measure could give at most."""
        return self.weight * 100


@dataclass(frozen=True, slots=True)
class LedgerLine:
    label: str
    points: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """Why the score moved: the lines sum to `total`. `metrics` splits the first line, largest first."""

    since: date
    before: float
    after: float
    total: float
    behaviour: float
    data_expiry: float
    configuration: float
    metrics: tuple[LedgerLine, ...]


@dataclass(frozen=True, slots=True)
class ScoreBreakdown:
    """Latest score with its parts; `capped` is what an exception took away (<= 0)."""

    score: HealthScore
    parts: tuple[ScorePart, ...]
    missing: tuple[ScorePart, ...]
    capped: float
    version_number: int
    card_name: str
    ledger: Ledger | None


def score_breakdown(account: Account, currency: str) -> ScoreBreakdown | None:
    """None without a score. Two queries."""
    from health.scoring import parse_definition

    latest, earlier = _latest_and_earlier(account)
    if latest is None:
        return None
    definition = parse_definition(latest.version.definition)
    history = _History.read(account, latest.as_of, dict(latest.places))
    words = metric_words(set(definition.metrics), currency)
    parts, capped = _parts(definition, history.table(definition, latest.as_of), latest, words)
    return ScoreBreakdown(
        score=latest,
        parts=tuple(part for part in parts if not part.is_missing),
        missing=tuple(part for part in parts if part.is_missing),
        capped=capped,
        version_number=latest.version.number,
        card_name=latest.version.scorecard.name,
        ledger=_ledger(earlier, latest, history, words) if earlier else None,
    )


def _latest_and_earlier(account: Account) -> tuple[Any, Any]:
    """The newest score, and the one 28 days before it or the nearest of the week before that, each None where it is
    missing. Both with `places`: pairs of a metric and its place in the snapshots."""
    scores = HealthScore.objects.filter(account=account).order_by("-as_of")
    newest = Subquery(scores.values("as_of")[:1])
    day = {"output_field": DateField()}
    last = ExpressionWrapper(newest - timedelta(days=LEDGER_DAYS), **day)
    first = ExpressionWrapper(newest - timedelta(days=LEDGER_DAYS + 7), **day)
    wanted = scores.filter(Q(as_of=newest) | Q(as_of__gt=first, as_of__lte=last))
    pair = Func(F("key"), F("position"), function="jsonb_build_array", output_field=JSONField())
    places = ArraySubquery(MetricPosition.objects.values_list(pair))
    found = list(wanted.select_related("version__scorecard").annotate(places=places)[:2])
    return (found[0] if found else None), (found[1] if len(found) > 1 else None)


@dataclass(frozen=True, slots=True)
class _History:
    """Snapshots of one account by day, and the place of each metric in them."""

    places: dict[str, int]
    days: dict[date, Sequence[float | None]]

    @classmethod
    def read(cls, account: Account, as_of: date, places: dict[str, int]) -> _History:
        first = as_of - timedelta(days=LEDGER_DAYS + LOOK_BACK_DAYS)
        rows = AccountSnapshot.objects.filter(account=account, as_of__gte=first, as_of__lte=as_of)
        return cls(places, dict(rows.order_by("as_of").values_list("as_of", "values")))

    def value(self, metric: str, day: date) -> float | None:
        values, place = self.days.get(day), self.places.get(metric)
        if values is None or place is None or place >= len(values):
            return None
        return values[place]

    def last_known(self, metric: str, day: date) -> tuple[float | None, int]:
        """The newest value up to the day and its age in days."""
        for earlier in sorted((d for d in self.days if d <= day), reverse=True):
            if (value := self.value(metric, earlier)) is not None:
                return value, (day - earlier).days
        return None, 0

    def table(self, definition: ScorecardDefinition, day: date) -> MetricTable:
        """One row, as the nightly stage builds it: old values only for measures that let data decay."""
        import numpy as np

        from health.scoring import MetricTable

        decays = {measure.metric for measure in definition.measures if measure.missing == "decay"}
        found = [
            self.last_known(m, day) if m in decays else (self.value(m, day), 0) for m in definition.metrics
        ]
        tenure = self.value("tenure_days", day)
        return MetricTable(
            metrics=definition.metrics,
            values=np.array([[np.nan if value is None else value for value, _ in found]], dtype=float),
            ages=np.array([[age for _, age in found]], dtype=float),
            tenure_days=np.array([np.nan if tenure is None else tenure], dtype=float),
        )


def _parts(
    definition: ScorecardDefinition, table: MetricTable, latest: HealthScore, words: MetricWords
) -> tuple[list[ScorePart], float]:
    from health.scoring import display_parts, score_accounts

    scored = score_accounts(definition, table)
    lines = [
        line for line in display_parts(definition, table, scores=scored, row=0) if line.kind == "measure"
    ]
    parts = [_part(line, stored, words) for line, stored in zip(lines, latest.contributions, strict=False)]
    mean = sum(part.contribution for part in parts)
    capped = (latest.score - mean) if latest.cap is not None and latest.score is not None else 0.0
    return sorted(parts, key=lambda part: part.contribution - part.full), capped


def _part(line: Any, stored: float | None, words: MetricWords) -> ScorePart:
    known = words.metric(line.metric)
    return ScorePart(
        label=words.label(line.metric),
        value=words.value(line.metric, line.value),
        state=line.state,
        weight=line.weight or 0.0,
        contribution=stored or 0.0,
        age_days=round(line.age_days or 0),
        description=str(known.description) if known else "",
    )


def _ledger(
    earlier: HealthScore, latest: HealthScore, history: _History, words: MetricWords
) -> Ledger | None:
    from health.scoring import DayFacts, explain_change, parse_definition

    if earlier.score is None or latest.score is None:
        return None
    days = [
        DayFacts(definition, history.table(definition, row.as_of))
        for row in (earlier, latest)
        for definition in [parse_definition(row.version.definition)]
    ]
    return _ledger_of(explain_change(*days), earlier, latest, words)


def _ledger_of(
    change: Change, earlier: HealthScore, latest: HealthScore, words: MetricWords
) -> Ledger | None:
    if change.total != change.total:  # nan: one of the days has no snapshot any more
        return None
    moves = sorted(change.by_metric, key=lambda move: -abs(move[1]))
    lines = [
        LedgerLine(words.label(m) if m else gettext("Cap of an exception"), points) for m, points in moves
    ]
    return Ledger(
        since=earlier.as_of,
        before=earlier.score or 0.0,
        after=latest.score or 0.0,
        total=change.total,
        behaviour=change.behaviour,
        data_expiry=change.data_expiry,
        configuration=change.configuration,
        metrics=tuple(line for line in lines if abs(line.points) >= 0.05)[:6],
    )
