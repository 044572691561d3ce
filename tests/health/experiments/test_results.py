"""What the result pages are made of: counts, verdicts and sentences."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from accounts.models import Account
from health.models import Assignment, Outcome
from health.queries.experiment_pages import checkpoints, listing, pooled_results, progress
from health.queries.experiment_plans import plan
from health.queries.experiment_results import Verdict, results
from health.queries.experiment_sheets import assignments_sheet, experiments_sheet
from health.queries.experiment_words import arr_words, plan_reading, reading
from health.services.experiments import expose, stop_experiment
from tests.builders import NOW
from tests.health.experiments.builders import start
from tests.health.experiments.builders import told as story


def verdict_of(experiment):
    experiment.refresh_from_db()
    return results([experiment])[experiment.pk]


def test_a_clear_difference_is_said_with_both_rates_and_the_interval(scope):
    experiment = story(treated=(330, 360), control=(20, 40))
    result = verdict_of(experiment)
    assert (result.treated.hits, result.treated.settled) == (330, 360)
    assert (result.control.hits, result.control.settled) == (20, 40)
    assert result.verdict == Verdict.BETTER and result.lift.interval.low > 0
    assert reading(experiment, result) == (
        "91.7% of the treated reached the goal, 50.0% of the held out: "
        f"{100 * result.lift.value:.1f} points more, with a 95 % interval of "
        f"+{100 * result.lift.interval.low:.1f} to +{100 * result.lift.interval.high:.1f} points."
    )


def test_harm_is_said_as_plainly(scope):
    experiment = story(treated=(180, 360), control=(38, 40))
    assert verdict_of(experiment).verdict == Verdict.WORSE
    assert "points fewer" in reading(experiment, verdict_of(experiment))


def test_a_complete_plan_without_a_difference_says_so(scope):
    experiment = story(treated=(288, 360), control=(32, 40))
    assert verdict_of(experiment).verdict == Verdict.NO_DIFFERENCE
    assert "shows no difference" in reading(experiment, verdict_of(experiment))


def test_before_the_plan_is_complete_it_is_too_early(scope):
    experiment = story(treated=(81, 90), control=(7, 10), planned_accounts=400)
    result = verdict_of(experiment)
    assert result.verdict == Verdict.TOO_EARLY
    assert "100 of 400 planned outcomes are known." in reading(experiment, result)
    assert "too early to say" in arr_words(result, "USD")


def test_nothing_known_yet(scope):
    experiment = start()
    result = verdict_of(experiment)
    assert (result.verdict, result.lift, result.treated.rate) == (Verdict.TOO_EARLY, None, None)
    assert "No window is over yet" in reading(experiment, result)
    assert checkpoints(experiment) == []


def test_everybody_counts_in_the_group_they_were_drawn_into(scope):
    """Reached or not: 100 treated whom nothing reached stay in the denominator, a reached holdout stays held out."""
    experiment = story(treated=(300, 360), control=(20, 40))
    before = verdict_of(experiment)
    for row in Assignment.objects.filter(experiment=experiment, variant__is_holdout=True)[:5]:
        expose(experiment=experiment, account_id=row.account_id, now=NOW)
    for row in Assignment.objects.filter(experiment=experiment, variant__is_holdout=False)[:10]:
        expose(experiment=experiment, account_id=row.account_id, now=NOW)
    after = verdict_of(experiment)
    assert (after.treated.hits, after.treated.settled) == (before.treated.hits, before.treated.settled)
    assert (after.control.settled, after.lift) == (before.control.settled, before.lift)
    assert (after.treated.exposed, after.control.exposed) == (10, 5)
    assert progress(experiment, now=NOW).exposed_holdouts == 5


def test_after_a_stop_only_windows_that_were_over_count(scope):
    experiment = story(treated=(300, 360), control=(20, 40))
    late = list(Outcome.objects.filter(assignment__experiment=experiment).values_list("pk", flat=True)[:50])
    Outcome.objects.filter(pk__in=late).update(
        ends_at=NOW + timedelta(days=9), settled_at=NOW + timedelta(days=9)
    )
    stop_experiment(experiment=experiment, acting_user=None, now=NOW)
    result = verdict_of(experiment)
    assert result.settled == 350


def test_a_deleted_account_leaves_the_counts(scope):
    experiment = story(treated=(300, 360), control=(20, 40))
    Account.objects.filter(pk=Assignment.objects.first().account_id).delete()
    assert verdict_of(experiment).assigned == 399


@pytest.mark.parametrize(("goal", "hits"), [("retained", 30), ("arr_kept", 20), ("expanded", 10)])
def test_goals_count_their_outcomes(scope, goal, hits):
    experiment = story(treated=(0, 40), control=(0, 20), outcome=goal, planned_accounts=200)
    rows = list(Outcome.objects.filter(assignment__variant__is_holdout=False))
    for number, row in enumerate(rows):
        row.kind = ("churned", "retained", "contracted", "expanded")[number % 4]
    Outcome.objects.bulk_update(rows, ["kind"])
    assert verdict_of(experiment).treated.hits == hits


def test_small_experiments_are_read_together(scope):
    """Each alone is too early; six together show it, compared only within themselves."""
    for subject in range(6):
        story(treated=(216, 240), control=(20, 30), subject_id=subject, planned_accounts=2000)
    (found,) = pooled_results()
    assert found.experiments == 6 and found.control.settled == 180
    assert found.verdict == Verdict.BETTER
    assert {row.result.verdict for row in listing("").rows} == {Verdict.TOO_EARLY}


def test_two_small_ones_are_not_enough_yet(scope):
    for subject in range(2):
        story(treated=(80, 90), control=(8, 10), subject_id=subject)
    (found,) = pooled_results()
    assert found.lift is None and found.verdict == Verdict.TOO_EARLY


def test_the_list_costs_the_same_for_one_and_for_many(scope, django_assert_num_queries):
    story(treated=(80, 90), control=(8, 10))
    with django_assert_num_queries(2):
        listing("")
    for subject in range(2, 8):
        story(treated=(80, 90), control=(8, 10), subject_id=subject)
    with django_assert_num_queries(2):
        assert len(listing("").rows) == 7


def test_pages_of_the_list(scope):
    for subject in range(5):
        start(subject_id=subject, now=NOW + timedelta(days=subject))
    first = listing("", size=3)
    second = listing("", after=first.after, size=3)
    subjects = [row.experiment.subject_id for row in (*first.rows, *second.rows)]
    assert subjects == [4, 3, 2, 1, 0] and not second.after
    assert [row.experiment.subject_id for row in listing("", before=second.before, size=3).rows] == [4, 3, 2]


def test_the_way_to_the_answer_narrows(scope):
    experiment = story(treated=(324, 360), control=(20, 40), days=60)
    days = checkpoints(experiment)
    widths = [day.lift.interval.high - day.lift.interval.low for day in days if day.lift]
    assert days[-1].settled == 400 and widths[0] > 2 * widths[-1]
    assert days[-1].lift == verdict_of(experiment).lift


def test_what_the_plan_promised(scope):
    assert "8 of 10" in plan_reading(start(planned_accounts=4000))
    assert "more than there is room for" in plan_reading(start(subject_id=2, planned_accounts=100))


def test_a_plan_before_the_start(scope):
    found = plan(outcome="retained", window_days=90, holdout_share=0.2, accounts_a_month=200, now=NOW)
    gains = [horizon.gain for horizon in found.horizons]
    assert gains == sorted(gains, reverse=True)
    assert found.sentence.startswith("With 200 accounts a month you will be able to see a gain of ")
    months = [choice.months for choice in found.shares]
    assert months == sorted(months, reverse=True), "holding out more is quicker"


def test_a_plan_that_can_show_nothing_says_so(scope):
    found = plan(outcome="retained", window_days=90, holdout_share=0.1, accounts_a_month=3, now=NOW)
    assert "would not be seen within two years" in found.sentence


def test_sheets(scope):
    experiment = story(treated=(330, 360), control=(20, 40))
    headers, rows = experiments_sheet("")
    assert dict(zip(headers, rows[0], strict=True))["Held out that reached the goal"] == 20
    headers, rows = assignments_sheet(experiment)
    assert len(rows) == 400 and {row[headers.index("Group")] for row in rows} == {"treated", "held out"}
    assert date.fromisoformat(str(rows[0][headers.index("Drawn")])[:10]) < NOW.date()


def test_the_file_of_many_accounts_costs_few_queries(scope, django_assert_max_num_queries):
    experiment = story(treated=(330, 360), control=(20, 40))
    with django_assert_max_num_queries(3):
        assignments_sheet(experiment)
