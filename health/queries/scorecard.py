"""What the scorecard editor shows beside the form: shares, an example account, who would change band."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from accounts.models import Account
from health.metrics.catalogue import all_metrics
from health.models import AccountState, HealthBand, NightRun, RunStatus
from health.registry import GROUP_LABELS

if TYPE_CHECKING:
    from health.scoring import MetricTable, ScorecardDefinition

NAMES_SHOWN = 30


@dataclass(frozen=True)
class Move:
    """An account that would change band."""

    name: str
    url_id: str
    before: str
    after: str
    score_before: float | None
    score_after: float | None
    arr_minor: int


@dataclass(frozen=True)
class Preview:
    """`counts`: band, accounts before, after, change. `moves`: the largest first, `moved` in all."""

    as_of: Any
    counts: list[tuple[str, int, int, int]]
    moved: int
    moves: list[Move]
    example: Account | None
    example_before: float | None
    example_after: float | None
    example_band: str
    parts: list[dict[str, Any]]


def latest_day() -> Any:
    night = NightRun.objects.filter(status=RunStatus.DONE).order_by("-as_of").first()
    return night.as_of if night else None


def customers_only(account_ids: Any, table: MetricTable) -> tuple[Any, MetricTable]:
    """Rows of accounts with a running subscription: nobody asks for the health of those who left."""
    import numpy as np

    ids = AccountState.objects.filter(is_customer=True).values_list("account_id", flat=True)
    keep = np.isin(account_ids, np.fromiter(ids, dtype=np.int64))
    ages = None if table.ages is None else table.ages[keep]
    tenure = None if table.tenure_days is None else table.tenure_days[keep]
    return account_ids[keep], replace(table, values=table.values[keep], ages=ages, tenure_days=tenure)


def metric_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The catalogue by group, for the picker."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for metric in all_metrics().values():
        groups.setdefault(str(GROUP_LABELS[metric.group]), []).append((metric.name, str(metric.label)))
    return [(label, sorted(rows, key=lambda row: row[1])) for label, rows in groups.items()]


def preview(
    live: ScorecardDefinition,
    draft: ScorecardDefinition,
    table: Any,
    account_ids: Any,
    example: Account | None,
    as_of: Any,
) -> Preview:
    """Score the latest day's facts under both definitions."""
    from health.scoring import what_if

    found = what_if(live, draft, table, account_ids.tolist())
    rows = _rows_of([move.account_id for move in found.moves[:NAMES_SHOWN]])
    moves = [
        Move(
            rows[m.account_id].name,
            str(rows[m.account_id].account.public_id),
            m.before,
            m.after,
            _known(m.score_before),
            _known(m.score_after),
            rows[m.account_id].arr_minor,
        )
        for m in found.moves[:NAMES_SHOWN]
        if m.account_id in rows
    ]
    before, after, band, parts = _example(draft, found, table, account_ids, example)
    return Preview(
        as_of=as_of,
        counts=[
            (
                b.value,
                found.before[b.value],
                found.after[b.value],
                found.after[b.value] - found.before[b.value],
            )
            for b in reversed(HealthBand)
        ],
        moved=found.moved,
        moves=moves,
        example=example,
        example_before=before,
        example_after=after,
        example_band=band,
        parts=parts,
    )


def _rows_of(ids: list[int]) -> dict[int, AccountState]:
    rows = AccountState.objects.filter(account_id__in=ids).select_related("account")
    return {row.account_id: row for row in rows}


def _example(
    draft: Any, found: Any, table: Any, account_ids: Any, example: Account | None
) -> tuple[Any, ...]:
    if example is None or example.pk not in account_ids:
        return None, None, "", []
    from health.scoring import display_parts, score_accounts

    at = int((account_ids == example.pk).argmax())
    scores = score_accounts(draft, table)
    words = {name: metric.label for name, metric in all_metrics().items()}
    parts = [
        {"label": words.get(p.metric, p.metric), "part": p, "share": 0 if p.weight is None else p.weight}
        for p in display_parts(draft, table, scores, at)
    ]
    return _known(found.scores_before[at]), _known(found.scores_after[at]), scores.band_name(at), parts


def _known(score: float) -> float | None:
    return None if score != score else round(float(score), 1)
