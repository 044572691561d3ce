"""The next retry: never over a budget, never after a hard decline, inside the hours, and it ends."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_platform.lib.periods import local_day
from dunning.policy.classes import DeclineClass
from dunning.policy.code_table import DECLINE_RULES
from dunning.policy.definition import CAP_ATTEMPTS, CAP_DAYS, PolicyDefinition, RetriedBy
from dunning.policy.facts import PENDING, PERSON, PLATFORM, SUCCEEDED, UNKNOWN, AttemptFact, RetryFacts
from dunning.policy.placing import is_pay_day, slot
from dunning.policy.planning import NoRetry, Retry, first_notice_at, may_try_by_hand, plan_next
from dunning.policy.reasons import Why, WhyNot

POLICY = PolicyDefinition.defaults()
SLOW = [HealthCheck.too_slow]  # says more about a busy machine than about the test
BERLIN, SEOUL = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Seoul")
FAILED_AT = datetime(2026, 11, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)
ZONES = [
    BERLIN,
    SEOUL,
    ZoneInfo("America/Santiago"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Pacific/Apia"),
]
IN_HOURS = {Why.PAY_DAY, Why.SPACED, Why.LATE_TRY, Why.AFTER_CHECK}


def failed(code, at=FAILED_AT, **more):
    return AttemptFact(at, decline_code=code, card=more.pop("card", "c1"), **more)


def facts(*attempts, **more):
    return RetryFacts(
        "in_1", attempts, more.pop("ends_at", FAILED_AT + 28 * DAY), card=more.pop("card", "c1"), **more
    )


def plan(*attempts, policy=POLICY, zone=BERLIN, now=None, **more):
    return plan_next(facts(*attempts, **more), policy, now=now or attempts[-1].at, zone=zone)


def run(code_of, *, policy=POLICY, zone=BERLIN, start=FAILED_AT, invoice="in_1", days=365, card_at=None):
    """All tries of an invoice when each is refused with code_of(n); `card_at(n)` says that the card changes then."""
    attempts, plans, now, changed, card = [failed(code_of(0), start, card="c0")], [], start, None, "c0"
    ends = start + days * DAY
    for _turn in range(1_000):
        n = len(attempts)
        if card_at and card_at(n) and card != f"c{n}":
            card, changed = f"c{n}", now
        answer = plan_next(
            RetryFacts(invoice, tuple(attempts), ends, start, card=card, card_changed_at=changed),
            policy,
            now=now,
            zone=zone,
        )
        plans.append(answer)
        if isinstance(answer, NoRetry):
            if answer.until is None:
                return attempts, plans
            assert answer.until > now
            now = answer.until
            continue
        assert answer.at >= now
        now = answer.at
        attempts.append(failed(code_of(n), now, card=card, made_by=answer.made_by))
    raise AssertionError("it does not end")


codes = st.lists(st.sampled_from([*sorted(DECLINE_RULES), "unheard_of"]), min_size=1, max_size=8)
soft = st.lists(
    st.sampled_from(["insufficient_funds", "processing_error", "do_not_honor", "try_again_later"]),
    min_size=1,
    max_size=8,
)
starts = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)
policies = st.builds(
    lambda attempts, window, start, length, waits: replace(
        POLICY,
        attempts=min(attempts, window + 1),
        window_days=window,
        hour_from=start,
        hour_until=min(start + length, 24),
        technical_wait_hours=tuple(sorted(waits)),
        rules=POLICY.rules
        | {kind: replace(POLICY.rules[kind], most_retries=15) for kind in DeclineClass if "soft" in kind},
    ),
    st.integers(1, 15),
    st.integers(1, 30),
    st.integers(0, 23),
    st.integers(1, 8),
    st.sets(st.integers(1, 72), min_size=1, max_size=4),
)


def most_in(attempts, days):
    return max(sum(a.at - days * DAY < other.at <= a.at for other in attempts) for a in attempts)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(soft, starts, policies, st.sampled_from(ZONES), st.integers(0, 5))
def test_a_year_of_refusals_keeps_every_budget(refusals, start, policy, zone, change):
    attempts, plans = run(
        lambda n: refusals[n % len(refusals)],
        policy=policy,
        zone=zone,
        start=start,
        card_at=lambda n: bool(change) and n % change == 0,
    )
    assert most_in(attempts, policy.window_days) <= policy.attempts
    assert most_in(attempts, CAP_DAYS) <= CAP_ATTEMPTS
    ours = [a.at for a in attempts if a.made_by == PLATFORM]
    assert max(Counter(local_day(at, zone) for at in ours).values(), default=0) <= 1
    for answer in plans:
        if isinstance(answer, Retry) and answer.why in IN_HOURS:
            assert policy.hour_from <= answer.at.astimezone(zone).hour < policy.hour_until
            assert min(answer.at - a.at for a in attempts if a.at < answer.at) >= timedelta(hours=20)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(codes, starts, st.sampled_from(ZONES))
def test_nothing_is_charged_after_a_hard_decline_of_the_same_card(refusals, start, zone):
    attempts, _plans = run(lambda n: refusals[min(n, len(refusals) - 1)], zone=zone, start=start)
    for earlier, later in pairwise(attempts):
        judged = POLICY.judge(earlier.refusal).decline_class
        assert judged not in (DeclineClass.HARD_NETWORK, DeclineClass.AUTH, DeclineClass.CHECK_FIRST)
        assert later.at > earlier.at


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(codes, starts, st.sampled_from(ZONES), st.floats(0, 1), st.sampled_from(["", "KR"]))
def test_asking_again_before_its_time_changes_nothing(refusals, start, zone, share, country):
    """Else a retry that is looked at daily would move on for ever."""
    tries = [failed(code, start + n * DAY) for n, code in enumerate(refusals)]
    known = facts(*tries, ends_at=start + 28 * DAY, country=country)
    first = plan_next(known, POLICY, now=tries[-1].at, zone=zone)
    until = first.at if isinstance(first, Retry) else first.until or start + 20 * DAY
    later = tries[-1].at + share * (until - tries[-1].at)
    again = plan_next(known, POLICY, now=min(later, until), zone=zone)
    assert again == first or (isinstance(first, NoRetry) and first.until is None and later >= known.ends_at)


@pytest.mark.parametrize("code", ["processing_error", "insufficient_funds", "do_not_honor", "expired_card"])
def test_a_retry_stays_put_to_its_last_minute(code):
    start = datetime(
        2026, 11, 5, 3, tzinfo=UTC
    )  # the next pay day is out of reach, and comes into it by waiting
    first = plan(failed(code, start))
    for before in (timedelta(0), timedelta(seconds=1), timedelta(minutes=2)):
        assert plan(failed(code, start), now=first.at - before) == first


def test_a_thousand_invoices_are_not_charged_in_one_minute():
    when = Counter(
        plan_next(
            RetryFacts(f"in_{n}", (failed("do_not_honor"),), FAILED_AT + 28 * DAY, card="c1"),
            POLICY,
            now=FAILED_AT,
            zone=BERLIN,
        ).at.replace(second=0)
        for n in range(1_000)
    )
    assert max(when.values()) <= 20


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("lost_card", WhyNot.HARD_DECLINE),
        ("authentication_required", WhyNot.WAITS_FOR_CONFIRMATION),
        ("incorrect_cvc", WhyNot.WAITS_FOR_CARD),
        ("currency_not_supported", WhyNot.WAITS_FOR_OTHER_METHOD),
        ("duplicate_transaction", WhyNot.CHECK_FIRST),
        ("testmode_decline", WhyNot.TEST_CODE),
    ],
)
def test_what_is_not_retried_says_why(code, why):
    assert plan(failed(code)) == NoRetry(why, data={"code": code} if why is WhyNot.HARD_DECLINE else {})


def test_little_money_waits_for_a_pay_day_of_the_country():
    first = plan(failed("insufficient_funds"), country="KR", zone=SEOUL)
    assert (first.why, first.at.astimezone(SEOUL).date()) == (Why.PAY_DAY, date(2026, 11, 10))
    assert plan(failed("insufficient_funds"), country="DE").why is Why.SPACED


def test_the_last_of_a_month_and_the_first_count_once():
    late = datetime(2026, 10, 29, 3, tzinfo=UTC)
    first = plan(failed("insufficient_funds", late))
    second = plan(
        failed("insufficient_funds", late), failed("insufficient_funds", first.at, made_by=PLATFORM)
    )
    assert local_day(first.at, BERLIN) == date(2026, 10, 31)
    assert local_day(second.at, BERLIN) == date(2026, 11, 3)


def test_a_technical_error_is_tried_again_in_hours_but_once_a_day():
    first = plan(failed("processing_error"))
    assert timedelta(hours=4) <= first.at - FAILED_AT < timedelta(hours=4, minutes=21)
    second = plan(failed("processing_error"), failed("processing_error", first.at, made_by=PLATFORM))
    assert local_day(second.at, BERLIN) == local_day(first.at, BERLIN) + DAY


def test_a_new_card_is_charged_at_once_also_after_a_hard_decline():
    now = FAILED_AT + 5 * DAY + timedelta(hours=9)
    answer = plan(failed("stolen_card"), card="c2", card_changed_at=now, now=now)
    assert answer == Retry(now, Why.NEW_CARD, made_by=PERSON)
    again = plan(failed("stolen_card"), card="c1", card_changed_at=now, now=now)
    assert again.why is WhyNot.HARD_DECLINE
    corrected = plan(failed("incorrect_cvc"), card="c1", card_changed_at=now, now=now)
    assert corrected.why is Why.NEW_CARD


def test_the_updater_may_not_take_the_second_charge_of_a_day():
    tried = failed("expired_card", FAILED_AT + 2 * DAY, made_by=PLATFORM)
    now = tried.at + timedelta(hours=1)
    answer = plan(tried, card="c2", card_changed_at=now, card_changed_by=PLATFORM, now=now)
    assert answer.why is Why.NEW_CARD
    assert local_day(answer.at, BERLIN) > local_day(tried.at, BERLIN)


@pytest.mark.parametrize("outcome", [UNKNOWN, PENDING])
def test_nothing_follows_what_has_no_outcome_yet(outcome):
    lost = replace(failed("do_not_honor", FAILED_AT + DAY), outcome=outcome)
    assert plan(failed("do_not_honor"), lost, card="c2", card_changed_at=FAILED_AT + 2 * DAY).why is (
        WhyNot.OUTCOME_UNKNOWN
    )
    assert may_try_by_hand(facts(failed("do_not_honor"), lost), POLICY, now=FAILED_AT + 3 * DAY)


def test_paid_over_and_stripes_own_schedule_are_said():
    paid = replace(failed("", FAILED_AT + DAY), outcome=SUCCEEDED)
    assert plan(failed("do_not_honor"), paid).why is WhyNot.PAID
    assert plan(failed("do_not_honor"), now=FAILED_AT + 28 * DAY).why is WhyNot.CASE_OVER
    by_stripe = replace(POLICY, retried_by=RetriedBy.STRIPE)
    assert plan(failed("do_not_honor"), policy=by_stripe).why is WhyNot.STRIPE_RETRIES
    assert plan_next(facts(), POLICY, now=FAILED_AT, zone=BERLIN).why is WhyNot.NOTHING_FAILED


def test_networks_are_asked_for_each_country_and_card():
    assert plan(failed("do_not_honor"), card_country="IN").why is WhyNot.ONE_ATTEMPT
    assert plan(failed("do_not_honor"), card_brand="visa", card_tries_30_days=15).why is WhyNot.CARD_CAP
    waits = failed("do_not_honor", network_advice_code="27", brand="mastercard")
    answer = plan(waits)
    assert answer.why is Why.NETWORK_WAIT
    assert answer.at >= FAILED_AT + timedelta(hours=96)


def test_the_budget_says_when_it_is_free_again():
    tries = [failed("processing_error", FAILED_AT + n * DAY, made_by=PLATFORM) for n in range(8)]
    technical = replace(POLICY.rules[DeclineClass.SOFT_TECHNICAL], most_retries=15)
    policy = replace(POLICY, rules=POLICY.rules | {DeclineClass.SOFT_TECHNICAL: technical})
    answer = plan(*tries, policy=policy)
    assert answer == NoRetry(WhyNot.BUDGET_USED, FAILED_AT + 14 * DAY, {"used": 8, "limit": 8, "days": 14})


def test_a_person_overrules_the_schedule_but_not_the_networks():
    now = FAILED_AT + timedelta(hours=1)
    assert may_try_by_hand(facts(failed("incorrect_cvc")), POLICY, now=now) is None
    assert may_try_by_hand(facts(failed("lost_card")), POLICY, now=now).why is WhyNot.HARD_DECLINE
    tries = [failed("do_not_honor", FAILED_AT + n * DAY) for n in range(15)]
    assert may_try_by_hand(facts(*tries), POLICY, now=tries[-1].at).why is WhyNot.NETWORK_CAP


def test_notices_begin_at_once_or_after_the_silent_retries():
    def begins(*attempts):
        known = facts(*attempts)
        return first_notice_at(known, POLICY, plan_next(known, POLICY, now=attempts[-1].at, zone=BERLIN))

    assert begins(failed("stolen_card")) == FAILED_AT
    assert begins(failed("insufficient_funds")) == FAILED_AT + 3 * DAY
    three = [failed("processing_error", FAILED_AT + timedelta(hours=8 * n)) for n in range(3)]
    assert begins(*three) == three[2].at
    assert begins(failed("insufficient_funds"), failed("lost_card", FAILED_AT + DAY)) == FAILED_AT + DAY
    assert begins(failed("duplicate_transaction")) is None
    assert begins(failed("testmode_decline")) is None
    assert begins(failed("do_not_honor"), *[failed("do_not_honor", FAILED_AT + DAY)] * 3) == FAILED_AT + DAY


def test_hours_that_clocks_skip_are_no_slot():
    spring = date(2026, 3, 29)  # Berlin goes from 02:00 to 03:00
    midnight = datetime.combine(spring, time(), BERLIN)
    assert slot(spring, hours=(2, 3), zone=BERLIN, not_before=midnight, share=0.5) is None
    found = slot(spring, hours=(1, 4), zone=BERLIN, not_before=midnight, share=0.999)
    assert found.astimezone(BERLIN).hour == 3


def test_pay_days_of_short_months():
    assert is_pay_day(date(2026, 2, 28), (30,))
    assert is_pay_day(date(2026, 2, 28), (-1,))
    assert not is_pay_day(date(2026, 3, 28), (-1, 30))
