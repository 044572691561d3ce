"""Do more payments fail than usual? An exact test of one week against the eight before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

BASE_WEEKS = 8
LEAST_TRIES = 20
SURE = 0.01


@dataclass(frozen=True, slots=True)
class WeekOfTries:
    """First attempts of the invoices of one week, and how many of them failed."""

    week: date
    tries: int
    failed: int

    @property
    def rate(self) -> float | None:
        return self.failed / self.tries if self.tries else None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A week that stands out; `p_value` is the chance of as many failures if nothing had changed."""

    week: date
    tries: int
    failed: int
    usual_tries: int
    usual_failed: int
    p_value: float


def failure_alarm(weeks: Sequence[WeekOfTries]) -> Alarm | None:
    """The alarm of the last of these full weeks, oldest first, or None.

    Fisher's exact test, one-sided (R. A. Fisher, 1935): the chance that so many of all failures fell into this
    week. Below 1 % it is an alarm; with fewer than 20 first attempts in the week or in the weeks before, nothing
    can be said.
    """
    from scipy.stats import fisher_exact

    if len(weeks) < 2:
        return None
    last, before = weeks[-1], weeks[-1 - BASE_WEEKS : -1]
    tries, failed = sum(one.tries for one in before), sum(one.failed for one in before)
    if last.tries < LEAST_TRIES or tries < LEAST_TRIES:
        return None
    table = [[last.failed, last.tries - last.failed], [failed, tries - failed]]
    p_value = float(fisher_exact(table, alternative="greater").pvalue)
    if p_value >= SURE:
        return None
    return Alarm(last.week, last.tries, last.failed, tries, failed, p_value)
