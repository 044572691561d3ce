"""How a scorecard would have told churned accounts from the others on past days, before it is published.

Uses only each row's own facts and what became of it; a row belongs in the history once its outcome is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cs_platform.lib.stats import RocAuc, roc_auc, roc_auc_gain, wilson_interval
from health.scoring.definition import ScorecardDefinition
from health.scoring.score import BAND_NAMES, Floats, MetricTable, ScoreTable, score_accounts

Ints = NDArray[np.int64]
Verdict = Literal["better", "worse", "no_difference", "too_few_churned"]

MIN_CHURNED_ACCOUNTS = 50
CLEAR_ERRORS = 1.96


@dataclass(frozen=True, slots=True)
class History:
    """N rows of past days: facts (N, K), account and day of each, 1 where it left within the horizon."""

    table: MetricTable
    account_ids: Ints
    as_of: Ints
    churned: Ints


@dataclass(frozen=True, slots=True)
class BandOutcome:
    """What became of the rows of one band: rows, churned rows, their rate with Wilson interval."""

    band: str
    rows: int
    churned: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """One scorecard over the history.

    `auc`: a churned account scores below another of the same day. `precision`: of each day's `top` lowest
    scores, the share that left. `false_greens` and `false_reds`: accounts that left from green, and those
    that were red and never left, on any day of the history.
    """

    auc: RocAuc
    precision: float
    bands: tuple[BandOutcome, ...]
    false_greens: tuple[int, ...]
    false_reds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Live against draft; `gain` = draft's AUC minus live's, on rows that both can score, with its error."""

    live: CardOutcome
    draft: CardOutcome
    gain: float
    gain_error: float
    recoloured: int
    churned_accounts: int
    verdict: Verdict


def replay(
    live: ScorecardDefinition, draft: ScorecardDefinition, history: History, *, top: int = 20
) -> Backtest:
    """Replay both scorecards over the same rows; `top` = accounts that one week's work reaches."""
    old, new = score_accounts(live, history.table), score_accounts(draft, history.table)
    both = ~np.isnan(old.score) & ~np.isnan(new.score)
    gain, error = roc_auc_gain(
        history.churned[both],
        -new.score[both],
        -old.score[both],
        clusters=history.account_ids[both],
        strata=history.as_of[both],
    )
    churned = int(np.unique(history.account_ids[history.churned == 1]).size)
    return Backtest(
        live=_outcome(old, history, top),
        draft=_outcome(new, history, top),
        gain=gain,
        gain_error=error,
        recoloured=int(np.unique(history.account_ids[old.bands != new.bands]).size),
        churned_accounts=churned,
        verdict=_verdict(churned, gain, error),
    )


def _verdict(churned: int, gain: float, error: float) -> Verdict:
    if churned < MIN_CHURNED_ACCOUNTS or np.isnan(gain):
        return "too_few_churned"
    if abs(gain) <= CLEAR_ERRORS * error:
        return "no_difference"
    return "better" if gain > 0 else "worse"


def _outcome(scores: ScoreTable, history: History, top: int) -> CardOutcome:
    scored = ~np.isnan(scores.score)
    left = history.churned == 1
    green, red = BAND_NAMES.index("green"), BAND_NAMES.index("red")
    ever_left = np.unique(history.account_ids[left])
    was_red = np.unique(history.account_ids[scores.bands == red])
    return CardOutcome(
        auc=roc_auc(
            history.churned[scored],
            -scores.score[scored],
            clusters=history.account_ids[scored],
            strata=history.as_of[scored],
        ),
        precision=_precision(scores.score[scored], left[scored], history.as_of[scored], top),
        bands=tuple(_band(at, name, scores, left) for at, name in enumerate(BAND_NAMES) if name),
        false_greens=tuple(np.unique(history.account_ids[left & (scores.bands == green)]).tolist()),
        false_reds=tuple(np.setdiff1d(was_red, ever_left).tolist()),
    )


def _precision(score: Floats, left: NDArray[np.bool_], as_of: Ints, top: int) -> float:
    """Share that left among the `top` lowest scores of each day."""
    if score.size == 0:
        return float("nan")
    order = np.lexsort((score, as_of))
    days = as_of[order]
    start = np.searchsorted(days, days, side="left")
    chosen = order[np.arange(order.size) - start < top]
    return float(left[chosen].mean())


def _band(at: int, name: str, scores: ScoreTable, left: NDArray[np.bool_]) -> BandOutcome:
    here = scores.bands == at
    rows, churned = int(here.sum()), int((here & left).sum())
    wilson = wilson_interval(churned, rows)
    return BandOutcome(name, rows, churned, churned / rows if rows else float("nan"), wilson.low, wilson.high)
