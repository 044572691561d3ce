"""What a policy would have done with failures of the past, counted.

Nobody knows whether a retry at another hour would have passed, so none is taken to: a retry counts until the
invoice was really paid, and each is refused as the real ones were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from cs_platform.lib.periods import local_day
from dunning.policy.country_zones import zone_of_country
from dunning.policy.definition import CAP_ATTEMPTS, PolicyDefinition
from dunning.policy.facts import PERSON, PLATFORM, AttemptFact, RetryFacts
from dunning.policy.planning import NoRetry, Retry, first_notice_at, plan_next
from dunning.policy.reasons import WhyNot


@dataclass(frozen=True, slots=True)
class PastFailure:
    """One invoice: its first refusal, the real ones after it, and when it was paid (None: not yet)."""

    invoice_id: str
    amount_minor: int
    currency: str
    refusals: tuple[AttemptFact, ...]
    paid_at: datetime | None
    country: str = ""
    name: str = ""

    @property
    def failed_at(self) -> datetime:
        return self.refusals[0].at


@dataclass(frozen=True, slots=True)
class Replayed:
    """`stopped_by` is why no further retry follows; "" when it was paid before."""

    failure: PastFailure
    retries: tuple[datetime, ...]
    notices_at: datetime | None
    stopped_by: WhyNot | None
    is_ended: bool

    def days_to(self, moment: datetime | None, zone: ZoneInfo) -> int | None:
        """Local days from the failure to a moment."""
        if moment is None:
            return None
        return (local_day(moment, zone) - local_day(self.failure.failed_at, zone)).days


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over all failures. Days count from the failure; `by_day` of the first retry, `notices` of the first
    notice; `unnoticed`: paid before any notice; `by_reason`: why those without any retry had none."""

    failures: int
    retried: int
    retries: int
    median_first_day: float | None
    by_day: dict[int, int]
    noticed: int
    noticed_at_once: int
    unnoticed: int
    ended: int
    by_reason: dict[WhyNot, int]


def replay_failure(failure: PastFailure, policy: PolicyDefinition, *, zone: ZoneInfo) -> Replayed:
    """One failure under a policy, up to its payment or to the end of the policy's time; `zone` is the workspace's."""
    own_zone = zone_of_country(failure.country) or zone
    attempts, retries = [replace(failure.refusals[0], made_by="provider")], list[datetime]()
    ends_at = failure.failed_at + policy.duration
    until = min(failure.paid_at or ends_at, ends_at)
    now, plan, notices_at = failure.failed_at, None, None
    for _turn in range(4 * CAP_ATTEMPTS):
        facts = RetryFacts(
            failure.invoice_id,
            tuple(attempts),
            ends_at,
            failure.failed_at,
            card=attempts[-1].card,
            card_brand=attempts[-1].brand,
            country=failure.country,
        )
        plan = plan_next(facts, policy, now=now, zone=own_zone, day_zone=zone)
        notices_at = _earlier(notices_at, first_notice_at(facts, policy, plan))
        at = plan.at if isinstance(plan, Retry) else plan.until
        if at is None or at >= until:
            break
        now = at
        if isinstance(plan, Retry) and plan.made_by != PERSON:
            retries.append(at)
            known = failure.refusals[min(len(retries), len(failure.refusals) - 1)]
            attempts.append(replace(known, at=at, card=attempts[0].card, made_by=PLATFORM))
    is_paid = failure.paid_at is not None and failure.paid_at < ends_at
    return Replayed(
        failure=failure,
        retries=tuple(retries),
        notices_at=notices_at if notices_at is not None and notices_at < until else None,
        stopped_by=plan.why if isinstance(plan, NoRetry) else None,
        is_ended=not is_paid,
    )


def totals(replayed: Sequence[Replayed], *, zone: ZoneInfo) -> Totals:
    """All of them, counted."""
    retried = [found for found in replayed if found.retries]
    first_days = [day for found in retried if (day := found.days_to(found.retries[0], zone)) is not None]
    noticed = [found for found in replayed if found.notices_at is not None]
    none = (found.stopped_by for found in replayed if not found.retries and found.stopped_by)
    return Totals(
        failures=len(replayed),
        retried=len(retried),
        retries=sum(len(found.retries) for found in replayed),
        median_first_day=median(first_days) if first_days else None,
        by_day=dict(sorted(Counter(first_days).items())),
        noticed=len(noticed),
        noticed_at_once=sum(_is_at_once(found) for found in noticed),
        unnoticed=sum(not found.is_ended and found.notices_at is None for found in replayed),
        ended=sum(found.is_ended for found in replayed),
        by_reason=dict(Counter(none).most_common()),
    )


def replay_all(
    failures: Iterable[PastFailure], policy: PolicyDefinition, *, zone: ZoneInfo
) -> list[Replayed]:
    return [replay_failure(failure, policy, zone=zone) for failure in failures]


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _is_at_once(found: Replayed) -> bool:
    moment = found.notices_at
    return moment is not None and moment - found.failure.failed_at < timedelta(hours=1)
