"""What a changed scorecard would do to every account, before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from health.scoring.definition import ScorecardDefinition
from health.scoring.score import BAND_NAMES, Floats, MetricTable, ScoreTable, score_accounts


@dataclass(frozen=True, slots=True)
class BandMove:
    """One account whose band would change."""

    account_id: int
    before: str
    after: str
    score_before: float
    score_after: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Counts per band ("" = no score), the accounts that change band (largest move first), all scores."""

    before: dict[str, int]
    after: dict[str, int]
    moves: tuple[BandMove, ...]
    scores_before: Floats
    scores_after: Floats

    @property
    def moved(self) -> int:
        """Number of accounts that change band."""
        return len(self.moves)


def what_if(
    live: ScorecardDefinition, draft: ScorecardDefinition, table: MetricTable, account_ids: Sequence[int]
) -> WhatIf:
    """Score the same facts under both definitions; `account_ids` follow the rows of the table."""
    if len(account_ids) != table.rows:
        raise ValueError(f"{len(account_ids)} account ids for {table.rows} rows")
    old, new = score_accounts(live, table), score_accounts(draft, table)
    rows = np.flatnonzero(old.bands != new.bands)
    size = np.abs(np.nan_to_num(new.score[rows]) - np.nan_to_num(old.score[rows]))
    return WhatIf(
        before=_counts(old),
        after=_counts(new),
        moves=tuple(
            BandMove(
                int(account_ids[row]),
                old.band_name(row),
                new.band_name(row),
                float(old.score[row]),
                float(new.score[row]),
            )
            for row in rows[np.argsort(-size, kind="stable")].tolist()
        ),
        scores_before=old.score,
        scores_after=new.score,
    )


def _counts(scores: ScoreTable) -> dict[str, int]:
    found = np.bincount(scores.bands, minlength=len(BAND_NAMES))
    return {name: int(count) for name, count in zip(BAND_NAMES, found, strict=True)}
