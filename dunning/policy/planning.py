"""Decides about the next retry of an invoice and about its first notice, and says why.

Pure: everything it knows is in `RetryFacts` and the policy. At most one retry per local day and at least 20
hours apart; only a technical error, whose bank may be back in hours, and a new card, whose owner waits, come sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cs_platform.lib.periods import day_start, local_day
from dunning.policy.classes import DeclineClass, NoticeRule
from dunning.policy.code_table import CARD_CAPS, ONE_ATTEMPT_COUNTRIES
from dunning.policy.definition import (
    CAP_ATTEMPTS,
    CAP_DAYS,
    LEAST_HOURS_APART,
    PolicyDefinition,
    RetriedBy,
)
from dunning.policy.facts import (
    FAILED,
    PENDING,
    PERSON,
    PLATFORM,
    SUCCEEDED,
    UNKNOWN,
    AttemptFact,
    RetryFacts,
)
from dunning.policy.judging import Judgement
from dunning.policy.placing import MOST_JITTER, first_pay_day, is_pay_day, share_of, slot
from dunning.policy.reasons import Why, WhyNot

PAY_DAY_REACH = timedelta(days=7)
LEAST_APART = timedelta(hours=LEAST_HOURS_APART)
SEARCHED_DAYS = 10  # more than any run of days that clocks skip or hours leave empty
NOT_RETRIED: dict[DeclineClass, WhyNot] = {
    DeclineClass.AUTH: WhyNot.WAITS_FOR_CONFIRMATION,
    DeclineClass.CARD_DATA: WhyNot.WAITS_FOR_CARD,
    DeclineClass.NOT_THIS_PURCHASE: WhyNot.WAITS_FOR_OTHER_METHOD,
    DeclineClass.CHECK_FIRST: WhyNot.CHECK_FIRST,
    DeclineClass.TEST: WhyNot.TEST_CODE,
}
# Answers after which only the customer can get the payment through, so the notices need not wait any longer.
NO_RETRY_LEFT = frozenset(
    {
        WhyNot.HARD_DECLINE,
        WhyNot.WAITS_FOR_CONFIRMATION,
        WhyNot.WAITS_FOR_CARD,
        WhyNot.WAITS_FOR_OTHER_METHOD,
        WhyNot.SWITCHED_OFF,
        WhyNot.ONE_ATTEMPT,
        WhyNot.CLASS_LIMIT,
        WhyNot.BUDGET_USED,
        WhyNot.NETWORK_CAP,
        WhyNot.ENDS_FIRST,
    }
)


@dataclass(frozen=True, slots=True)
class Retry:
    """Charge at that instant. `data` fills the words of the reason (`dunning.cases.words`)."""

    at: datetime
    why: Why
    data: Mapping[str, int | str] = field(default_factory=dict)
    made_by: str = PLATFORM


@dataclass(frozen=True, slots=True)
class NoRetry:
    """No retry now; `until` is when asking again makes sense, None when only a new fact changes the answer."""

    why: WhyNot
    until: datetime | None = None
    data: Mapping[str, int | str] = field(default_factory=dict)


def plan_next(
    facts: RetryFacts,
    policy: PolicyDefinition,
    *,
    now: datetime,
    zone: ZoneInfo,
    day_zone: ZoneInfo | None = None,
) -> Retry | NoRetry:
    """The next retry after what has happened so far.

    `zone` is the customer's, for hours and pay days; `day_zone` the workspace's (default: the same), whose day the
    database counts one charge by.
    """
    last = facts.last_of_card
    if last is None:
        return NoRetry(WhyNot.NOTHING_FAILED)
    if stopped := _settled(facts, policy, now):
        return stopped
    clock = _Clock(facts, policy, now, zone, day_zone or zone)
    judgement = policy.judge(last.refusal)
    if stopped := _refused_for_good(facts, policy):
        return stopped
    if judgement.decline_class is DeclineClass.CHECK_FIRST and not _is_checked(facts, last):
        return NoRetry(WhyNot.CHECK_FIRST)
    if facts.is_before_change(last):
        return _within_caps(clock, _at_once(clock))
    if judgement.decline_class is DeclineClass.CHECK_FIRST:
        return _within_caps(clock, _placed(clock, local_day(now, zone), Why.AFTER_CHECK))
    if not judgement.rule.is_retried:
        return NoRetry(NOT_RETRIED.get(judgement.decline_class, WhyNot.SWITCHED_OFF))
    if facts.card_country in ONE_ATTEMPT_COUNTRIES:
        return NoRetry(WhyNot.ONE_ATTEMPT, data={"country": facts.card_country})
    used = _retries_used(facts, policy, judgement)
    if used >= judgement.rule.most_retries:
        return NoRetry(WhyNot.CLASS_LIMIT, data={"used": used, "limit": judgement.rule.most_retries})
    return _within_caps(clock, _by_class(clock, judgement))


def may_try_by_hand(facts: RetryFacts, policy: PolicyDefinition, *, now: datetime) -> NoRetry | None:
    """What forbids a person's own retry: only what nobody may overrule (None = go on).

    The policy's schedule and budget are advice to a person; a hard decline and the networks' caps are not.
    """
    last = facts.last
    if last is not None and last.outcome in (SUCCEEDED, UNKNOWN, PENDING):
        return _settled(facts, policy, now)
    return _refused_for_good(facts, policy) or _over_network_caps(facts, now)


def first_notice_at(
    facts: RetryFacts, policy: PolicyDefinition, plan: Retry | NoRetry | None = None
) -> datetime | None:
    """When the notices begin; None for never. `plan` is the answer of `plan_next` to the same facts.

    At once where the class says so, and when no retry is left; else after the silent retries or days.
    """
    failed = [attempt for attempt in facts.attempts if attempt.outcome == FAILED]
    if not failed:
        return None
    last = failed[-1]
    judgement = policy.judge(last.refusal)
    if judgement.rule.notice is NoticeRule.NEVER:
        return None
    first = facts.first_failed_at or failed[0].at
    if judgement.rule.notice is NoticeRule.AT_ONCE:
        return last.at
    if isinstance(plan, NoRetry) and plan.until is None and plan.why in NO_RETRY_LEFT:
        return last.at
    latest = first + timedelta(days=policy.silent_days)
    if len(failed) > policy.silent_retries:
        return min(latest, failed[policy.silent_retries].at)
    return latest


@dataclass(frozen=True, slots=True)
class _Clock:
    facts: RetryFacts
    policy: PolicyDefinition
    now: datetime
    zone: ZoneInfo
    day_zone: ZoneInfo

    @property
    def last(self) -> AttemptFact:
        return self.facts.attempts[-1]

    @property
    def share(self) -> float:
        return share_of(self.facts.invoice_id, len(self.facts.attempts))

    def is_taken(self, moment: datetime) -> bool:
        """The database takes one charge of ours per invoice and day of the workspace."""
        day = local_day(moment, self.day_zone)
        ours = (a for a in self.facts.attempts if a.made_by == PLATFORM)
        return any(local_day(a.at, self.day_zone) == day for a in ours)


def _settled(facts: RetryFacts, policy: PolicyDefinition, now: datetime) -> NoRetry | None:
    """What needs no decision: paid, not known yet, over, or Stripe's to decide."""
    outcomes = {attempt.outcome for attempt in facts.attempts}
    if SUCCEEDED in outcomes:
        return NoRetry(WhyNot.PAID)
    if UNKNOWN in outcomes or PENDING in outcomes:
        return NoRetry(WhyNot.OUTCOME_UNKNOWN)
    if now >= facts.ends_at:
        return NoRetry(WhyNot.CASE_OVER)
    if policy.retried_by is RetriedBy.STRIPE:
        return NoRetry(WhyNot.STRIPE_RETRIES)
    return None


def _refused_for_good(facts: RetryFacts, policy: PolicyDefinition) -> NoRetry | None:
    for attempt in facts.attempts:
        if (
            attempt.outcome == FAILED
            and facts.is_same_card(attempt)
            and policy.judge(attempt.refusal).is_hard
        ):
            return NoRetry(WhyNot.HARD_DECLINE, data={"code": attempt.decline_code})
    return None


def _is_checked(facts: RetryFacts, last: AttemptFact) -> bool:
    return facts.checked_at is not None and facts.checked_at >= last.at


def _retries_used(facts: RetryFacts, policy: PolicyDefinition, judgement: Judgement) -> int:
    """Retries that this card had after refusals of the class: the first refusal is nobody's retry."""
    same = [
        attempt
        for attempt in facts.attempts
        if not facts.is_before_change(attempt)
        and policy.judge(attempt.refusal).decline_class is judgement.decline_class
    ]
    return max(len(same) - 1, 0)


def _at_once(clock: _Clock) -> Retry | NoRetry:
    by = PLATFORM if clock.facts.card_changed_by == PLATFORM else PERSON
    if by == PLATFORM and clock.is_taken(clock.now):
        return _placed(clock, local_day(clock.now, clock.zone), Why.NEW_CARD)
    return Retry(clock.now, Why.NEW_CARD, made_by=by)


def _by_class(clock: _Clock, judgement: Judgement) -> Retry | NoRetry:
    hours, last = judgement.network_wait_hours, clock.last
    if hours is not None:
        data: dict[str, int | str] = {"hours": hours}
        return _after(clock, timedelta(hours=hours), Why.NETWORK_WAIT, data)
    if judgement.decline_class is DeclineClass.SOFT_TECHNICAL:
        waits = clock.policy.technical_wait_hours
        wait = waits[min(_retries_used(clock.facts, clock.policy, judgement), len(waits) - 1)]
        return _after(clock, timedelta(hours=wait), Why.TECHNICAL, {"hours": wait})
    if judgement.decline_class is DeclineClass.SOFT_FUNDS and (day := _pay_day(clock)):
        return _placed(clock, day, Why.PAY_DAY, {"day": day.isoformat()})
    why = Why.LATE_TRY if judgement.decline_class is DeclineClass.CARD_DATA else Why.SPACED
    wait_days = max(1, round(judgement.rule.wait / timedelta(days=1)))
    return _placed(clock, local_day(last.at + judgement.rule.wait, clock.zone), why, {"days": wait_days})


def _pay_day(clock: _Clock) -> date | None:
    """The next pay day within reach; the first right after the last of a month counts as the same one."""
    days = clock.policy.pay_days_of(clock.facts.country)
    tried = local_day(clock.last.at, clock.zone)
    first = local_day(max(clock.last.at + LEAST_APART, clock.now), clock.zone)
    if is_pay_day(tried, days):
        first = max(first, tried + timedelta(days=2))
    last = local_day(clock.last.at + PAY_DAY_REACH, clock.zone)
    return first_pay_day(first, last, days)


def _after(clock: _Clock, wait: timedelta, why: Why, data: Mapping[str, int | str]) -> Retry | NoRetry:
    """After a wait of hours, at any hour; a wait of a day and more goes to the usual hours."""
    due = clock.last.at + wait
    soon = max(due + MOST_JITTER * clock.share, clock.now)
    if wait < LEAST_APART and not clock.is_taken(soon):
        return Retry(soon, why, data)
    return _placed(clock, local_day(due, clock.zone), why, data, not_before=due)


def _placed(
    clock: _Clock,
    day: date,
    why: Why,
    data: Mapping[str, int | str] | None = None,
    not_before: datetime | None = None,
) -> Retry | NoRetry:
    """On that local day or the next one that has a free slot, inside the hours."""
    floor = max(clock.now, clock.last.at + LEAST_APART, not_before or clock.now)
    hours = (clock.policy.hour_from, clock.policy.hour_until)
    day = max(day, local_day(floor, clock.zone))
    for ahead in range(SEARCHED_DAYS):
        on = day + timedelta(days=ahead)
        found = slot(on, hours=hours, zone=clock.zone, not_before=floor, share=clock.share)
        if found and not clock.is_taken(found):
            if why is Why.PAY_DAY and ahead:  # the pay day has no slot left: the day after is as good
                data = {"day": day.isoformat()}
            return Retry(found, why, data or {})
    return NoRetry(WhyNot.NO_SLOT)


def _within_caps(clock: _Clock, plan: Retry | NoRetry) -> Retry | NoRetry:
    if isinstance(plan, NoRetry):
        return plan
    facts, policy = clock.facts, clock.policy
    if plan.at >= facts.ends_at:
        return NoRetry(WhyNot.ENDS_FIRST)
    free = _free_at(facts, plan.at, policy.attempts, policy.window_days)
    if free is not None:
        data: dict[str, int | str] = {
            "used": policy.attempts,
            "limit": policy.attempts,
            "days": policy.window_days,
        }
        return NoRetry(WhyNot.BUDGET_USED, free if free < facts.ends_at else None, data)
    return _over_network_caps(facts, plan.at, clock.day_zone) or plan


def _over_network_caps(facts: RetryFacts, at: datetime, zone: ZoneInfo | None = None) -> NoRetry | None:
    free = _free_at(facts, at, CAP_ATTEMPTS, CAP_DAYS)
    if free is not None:
        data: dict[str, int | str] = {"limit": CAP_ATTEMPTS, "days": CAP_DAYS}
        return NoRetry(WhyNot.NETWORK_CAP, free if free < facts.ends_at else None, data)
    cap = CARD_CAPS.get(facts.card_brand)
    if cap is not None and facts.card_tries_30_days >= cap:
        tomorrow = day_start(local_day(at, zone) + timedelta(days=1), zone) if zone else None
        return NoRetry(WhyNot.CARD_CAP, tomorrow, {"limit": cap, "days": CAP_DAYS})
    return None


def _free_at(facts: RetryFacts, at: datetime, limit: int, days: int) -> datetime | None:
    """When a try is free again under `limit` tries in any `days` days; None if it is at `at`."""
    window = timedelta(days=days)
    recent = sorted(a.at for a in facts.attempts if a.at > at - window)
    return recent[-limit] + window if len(recent) >= limit else None
