"""Do more payments fail than usual? An exact test of one week against the eight before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, lgamma

BASE_WEEKS = 8
LEAST_TRIES = 20
SURE = 0.01


@dataclass(frozen=True, slots=True)
class WeekOfTries:
    """First attempts of the invoices of one week, how many of them failed, and the codes they were refused with."""

    week: date
    tries: int
    failed: int
    codes: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        return self.failed / self.tries if self.tries else None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A week that stands out; `p_value` is the chance of as many failures if nothing had changed, `codes` what its
    failures were refused with."""

    week: date
    tries: int
    failed: int
    usual_tries: int
    usual_failed: int
    p_value: float
    codes: tuple[str, ...] = ()


def failure_alarms(weeks: Sequence[WeekOfTries]) -> list[Alarm]:
    """Every one of these full weeks, oldest first, that stood out when it was over."""
    found = (failure_alarm(weeks[: at + 1]) for at in range(len(weeks)))
    return [one for one in found if one is not None]


def failure_alarm(weeks: Sequence[WeekOfTries]) -> Alarm | None:
    """The alarm of the last of these full weeks, oldest first, or None.

    Fisher's exact test, one-sided (R. A. Fisher, 1935): the chance that so many of all failures fell into this
    week. Below 1 % it is an alarm; with fewer than 20 first attempts in the week or in the weeks before, nothing
    can be said.
    """
    if len(weeks) < 2:
        return None
    last, before = weeks[-1], weeks[-1 - BASE_WEEKS : -1]
    tries, failed = sum(one.tries for one in before), sum(one.failed for one in before)
    if last.tries < LEAST_TRIES or tries < LEAST_TRIES:
        return None
    p_value = _chance(last.failed, last.tries, failed + last.failed, tries + last.tries)
    if p_value >= SURE:
        return None
    return Alarm(last.week, last.tries, last.failed, tries, failed, p_value, last.codes)


def _chance(hits: int, drawn: int, marked: int, whole: int) -> float:
    """Probability of `hits` or more marked ones among `drawn` of `whole`, of which `marked` are: the upper tail of the
    hypergeometric distribution, summed from its first term on."""
    most = min(drawn, marked)
    if hits <= max(0, drawn + marked - whole):
        return 1.0
    if hits > most:
        return 0.0
    log = _choose(marked, hits) + _choose(whole - marked, drawn - hits) - _choose(whole, drawn)
    term = total = exp(log)
    for at in range(hits, most):
        term *= (marked - at) * (drawn - at) / ((at + 1) * (whole - marked - drawn + at + 1))
        total += term
    return min(total, 1.0)


def _choose(whole: int, part: int) -> float:
    """Logarithm of the number of ways."""
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
