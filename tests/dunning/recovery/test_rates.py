"""Recovery rates: nobody is left out of a denominator."""

from datetime import date, timedelta

import pytest

from dunning.recovery import RecoveryFact, WeekOfTries, by_group, by_week, failure_alarm, recovery

MONDAY = date(2026, 3, 2)


def fact(**values: object) -> RecoveryFact:
    given = {"account_id": 1, "failed_on": MONDAY, "amount_minor": 1000} | values
    return RecoveryFact(**given)  # type: ignore[arg-type]


def back(by: str, **values: object) -> RecoveryFact:
    return fact(state="recovered", recovered_by=by, recovered_minor=1000, **values)


def test_whoever_cancels_or_cannot_be_retried_stays_in_the_denominator():
    found = recovery(
        [
            back("silent_retry", days=2.0),
            back("notice", days=6.0),
            back("elsewhere", days=1.0, was_worked=False),
            fact(state="canceled"),
            fact(state="uncollectible", decline_class="hard_network"),
            fact(),
        ]
    )
    assert (found.failed, found.settled, found.recovered, found.lost, found.open) == (6, 5, 3, 2, 1)
    assert (found.amount_minor, found.recovered_minor, found.open_minor) == (6000, 3000, 1000)
    assert found.by_us == 2 and found.by_cause == {"silent_retry": 1, "notice": 1, "elsewhere": 1}
    assert (found.worked_recovered, found.worked) == (2, 5)
    assert (found.retriable_recovered, found.retriable) == (3, 5)
    assert found.median_days == 2.0


def test_money_without_a_rate_counts_but_is_not_summed():
    found = recovery([fact(amount_minor=None), fact()])
    assert (found.failed, found.amount_minor, found.unpriced) == (2, 1000, 1)


def test_a_payment_belongs_to_the_week_it_failed_in_and_no_week_is_skipped():
    late = fact(failed_on=MONDAY + timedelta(days=20))
    weeks = by_week([fact(failed_on=MONDAY + timedelta(days=6)), late], first=MONDAY, last=late.failed_on)
    assert [(day, one.failed) for day, one in weeks] == [
        (MONDAY, 1),
        (MONDAY + timedelta(days=7), 0),
        (MONDAY + timedelta(days=14), 1),
    ]


def test_groups_add_up_to_the_whole():
    rows = [fact(brand="visa"), fact(brand="visa"), back("person", brand="amex")]
    groups = by_group(rows, lambda one: one.brand)
    assert [name for name, _ in groups] == ["visa", "amex"]
    assert sum(one.failed for _, one in groups) == 3 and sum(one.recovered for _, one in groups) == 1


def weeks(*pairs: tuple[int, int]) -> list[WeekOfTries]:
    return [WeekOfTries(MONDAY + timedelta(weeks=at), *pair) for at, pair in enumerate(pairs)]


def test_an_alarm_needs_more_than_chance():
    usual = [(200, 12)] * 8
    assert failure_alarm(weeks(*usual, (200, 17))) is None
    alarm = failure_alarm(weeks(*usual, (200, 40)))
    assert alarm is not None and (alarm.failed, alarm.usual_failed, alarm.usual_tries) == (40, 96, 1600)
    assert alarm.p_value < 0.001


@pytest.mark.parametrize(
    "found", [weeks((10, 10)), weeks((200, 10), (19, 19)), weeks((5, 0), (200, 150)), []]
)
def test_too_little_is_no_alarm(found: list[WeekOfTries]):
    assert failure_alarm(found) is None


def test_the_false_alarm_rate_is_the_stated_one():
    import numpy as np

    random = np.random.default_rng(7)
    alarms = 0
    for _ in range(400):
        failed = random.binomial(150, 0.06, size=9)
        alarms += failure_alarm(weeks(*[(150, int(one)) for one in failed])) is not None
    assert alarms <= 400 * 0.01 + 6
