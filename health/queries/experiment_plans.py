"""What a holdout test could show, before it starts: by size, by pace, by share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from cs_platform.lib.formats import number, percent
from cs_platform.lib.permuted_blocks import quotas
from cs_platform.lib.trial_plans import accounts_needed, detectable
from cs_platform.lib.trials import MIN_CONTROL
from health.queries.base_rates import BaseRate, base_rate

MONTHS = (3, 6, 12, 24)
SHARES = (0.1, 0.2, 0.3, 0.5)
GAIN = 0.05


@dataclass(frozen=True, slots=True)
class Horizon:
    """After so many months of drawing: accounts, and the gain that is found in 8 of 10 such tests."""

    months: int
    accounts: int
    gain: float | None
    is_possible: bool

    @property
    def points(self) -> float | None:
        return None if self.gain is None else 100 * self.gain


@dataclass(frozen=True, slots=True)
class ShareChoice:
    """What a holdout share costs: months until a gain of 5 points would be seen."""

    share: float
    months: int
    accounts: int


@dataclass(frozen=True, slots=True)
class Plan:
    base: BaseRate
    horizons: tuple[Horizon, ...]
    shares: tuple[ShareChoice, ...]
    sentence: str


def plan(
    *,
    outcome: str,
    window_days: int,
    holdout_share: float,
    accounts_a_month: int,
    now: datetime,
    bands: Sequence[str] = (),
) -> Plan:
    """The statement that everybody should read before an experiment starts; one query.

    `bands`: whom it is about, as in `base_rate`.
    """
    base = base_rate(outcome=outcome, window_days=window_days, now=now, bands=bands)
    held, block = quotas(holdout_share)
    horizons = tuple(_horizon(months, accounts_a_month, held / block, base.rate) for months in MONTHS)
    shares = tuple(_share(share, accounts_a_month, base.rate) for share in SHARES)
    return Plan(base, horizons, shares, _sentence(horizons, accounts_a_month, window_days, base))


def _horizon(months: int, pace: int, share: float, base: float) -> Horizon:
    accounts = months * pace
    if accounts * share < MIN_CONTROL:
        return Horizon(months, accounts, None, is_possible=False)
    gain = detectable(accounts=accounts, holdout_share=share, base_rate=base)
    return Horizon(months, accounts, gain, is_possible=gain <= 1 - base)


def _share(share: float, pace: int, base: float) -> ShareChoice:
    needed = accounts_needed(gain=min(GAIN, 1 - base), holdout_share=share, base_rate=base)
    return ShareChoice(share, math.ceil(needed / pace), needed)


def _sentence(horizons: tuple[Horizon, ...], pace: int, window_days: int, base: BaseRate) -> str:
    values = {"pace": number(pace), "days": number(window_days), "base": percent(base.rate, 0)}
    seen = [horizon for horizon in horizons if horizon.is_possible]
    if not seen:
        return (
            gettext(
                "With %(pace)s accounts a month even keeping every account would not be seen within two years."
                " Hold out more, or read this together with other experiments."
            )
            % values
        )
    values |= {"months": number(seen[0].months), "points": number(100 * (seen[0].gain or 0), 1)}
    return (
        gettext(
            "With %(pace)s accounts a month you will be able to see a gain of %(points)s points after"
            " %(months)s months of drawing and one window of %(days)s days."
        )
        % values
    )
