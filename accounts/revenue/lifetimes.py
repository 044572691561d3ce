"""How long customers stay: cohorts by the month they began in, and the survival curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accounts.revenue.ledger import Ledger
from accounts.revenue.rates import Ints
from accounts.revenue.retention import Positions
from accounts.revenue.steps import Kind, Steps
from cs_platform.lib.stats import z_value

DAY = 86_400_000_000
MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True, slots=True)
class CohortRow:
    """Accounts that became customers in one interval; `stayed[k]` of them have MRR at the end of the k-th
    interval after it. Ends that have not come yet are not in it."""

    interval: int
    accounts: int
    stayed: tuple[int, ...]


def cohorts(positions: Positions, found: Steps) -> list[CohortRow]:
    """One row per interval between the positions' instants, oldest first."""
    instants = np.array(positions.instants, dtype=np.int64)
    new = found.kind == Kind.NEW
    place = np.searchsorted(instants, found.at[new], side="right") - 1
    rows = []
    for interval in range(instants.size - 1):
        members = found.account[new][place == interval]
        stays = positions.is_customer[members, interval + 1 :]
        rows.append(CohortRow(interval, members.size, tuple(stays.sum(axis=0).tolist())))
    return rows


@dataclass(frozen=True, slots=True)
class SurvivalPoint:
    """Share of customers still there after `months`, with its 95 % interval, and how many were watched that long."""

    months: int
    share: float
    low: float
    high: float
    at_risk: int


def first_lives(ledger: Ledger, found: Steps, now: int) -> tuple[Ints, Ints]:
    """Per account that ever became a customer: length of its first stay in microseconds, and whether it ended.

    A return after an end is another life and does not lengthen the first.
    """
    size = ledger.accounts.size
    began = np.full(size, -1, dtype=np.int64)
    ended = np.full(size, -1, dtype=np.int64)
    past = found.at < now
    new, churn = past & (found.kind == Kind.NEW), past & (found.kind == Kind.CHURN)
    began[found.account[new]] = found.at[new]
    # Backwards, so that the first of several ends is the one that is kept.
    ended[found.account[churn][::-1]] = found.at[churn][::-1]
    known = began >= 0
    over = ended[known] >= 0
    return np.where(over, ended[known], now) - began[known], over.astype(np.int64)


def survival(lengths: Ints, ended: Ints, *, most_months: int = 60) -> list[SurvivalPoint]:
    """Kaplan-Meier curve by month (Kaplan & Meier 1958), read where at least ten accounts are still watched.

    Interval: Greenwood's variance on the log-log scale (Kalbfleisch & Prentice 1980). An account that is still
    there counts as watched so far, not as staying for ever.
    """
    if not lengths.size:
        return []
    times = np.unique(lengths[ended == 1])
    order = np.sort(lengths)
    at_risk = lengths.size - np.searchsorted(order, times, side="left")
    gone = np.bincount(np.searchsorted(times, lengths[ended == 1]), minlength=times.size)
    share = np.cumprod(1 - gone / at_risk) if times.size else np.zeros(0)
    with np.errstate(divide="ignore"):
        variance = np.cumsum(gone / (at_risk * np.maximum(at_risk - gone, 1e-12))) if times.size else share
    points = []
    for month in range(most_months + 1):
        moment = int(month * MONTH_DAYS * DAY)
        watched = int(lengths.size - np.searchsorted(order, moment, side="left"))
        if watched < 10 and month:
            break
        at = int(np.searchsorted(times, moment, side="right")) - 1
        points.append(
            _point(month, *((float(share[at]), float(variance[at])) if at >= 0 else (1.0, 0.0)), watched)
        )
    return points


def _point(month: int, share: float, variance: float, watched: int) -> SurvivalPoint:
    if not 0 < share < 1:
        return SurvivalPoint(month, share, share, share, watched)
    spread = z_value() * math.sqrt(variance) / abs(math.log(share))
    low, high = share ** math.exp(spread), share ** math.exp(-spread)
    return SurvivalPoint(month, share, low, high, watched)


def half_life(points: Sequence[SurvivalPoint]) -> int | None:
    """The first month at which at most half are left; None while more than half are."""
    return next((point.months for point in points if point.share <= 0.5), None)
