"""The draw: before anyone acts, in the planned shares, once, the same however often it is asked."""

import threading
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from cs_platform.lib.permuted_blocks import arm_at, quotas
from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import workspace_scope
from health.models import Assignment, Exclusion, Experiment, Exposure, Outcome
from health.queries.experiments import held_out
from health.registry import ExperimentSubject, SubjectWords
from health.services.experiments import (
    ExperimentRefused,
    draw,
    exclude,
    expose,
    running_experiment,
    stop_experiment,
)
from tests.builders import NOW
from tests.health.experiments.builders import NOTICE, accounts, start


def test_a_tenth_is_held_out_of_every_full_block(scope):
    experiment, ids = start(), accounts(200)
    arms = draw(experiment=experiment, account_ids=ids, now=NOW)
    assert Counter(arms.values()) == {"treatment": 180, "holdout": 20}


def test_every_stratum_has_its_share(scope):
    ids = [
        pk
        for band in ("red", "yellow", "green")
        for arr in (100_000, 1_000_000, 9_000_000)
        for pk in accounts(20, band=band, arr_minor=arr, prefix=f"{band}{arr}")
    ]
    experiment = start(holdout_share=0.2)
    draw(experiment=experiment, account_ids=ids, now=NOW)
    held = defaultdict(list)
    for stratum, is_holdout in Assignment.objects.values_list("stratum", "variant__is_holdout"):
        held[stratum].append(is_holdout)
    assert set(held) == {f"{band}:{third}" for band in ("red", "yellow", "green") for third in (1, 2, 3)}
    assert {stratum: sum(found) for stratum, found in held.items()} == dict.fromkeys(held, 4)


def test_a_tiny_stratum_is_not_rounded_away():
    """One account a time in strata of their own: a tenth of them is held out all the same."""
    arms = [("treatment", 9), ("holdout", 1)]
    found = Counter(arm_at("seed", f"stratum {n}", 0, arms) for n in range(3000))
    assert 240 <= found["holdout"] <= 360


@pytest.mark.parametrize(
    ("share", "expected"), [(0.1, (1, 10)), (0.15, (3, 20)), (0.5, (1, 2)), (1 / 3, (1, 3))]
)
def test_shares_become_blocks(share, expected):
    assert quotas(share) == expected


@pytest.mark.parametrize("share", [0, 1, 0.001])
def test_shares_that_fit_no_block(share):
    with pytest.raises(ValueError):
        quotas(share)


def test_asked_again_the_answer_is_the_same(scope):
    experiment, ids = start(), accounts(30)
    first = draw(experiment=experiment, account_ids=ids[:20], now=NOW)
    again = draw(experiment=experiment, account_ids=ids, now=NOW + timedelta(days=1))
    assert {pk: again[pk] for pk in first} == first
    assert len(again) == 30 and Assignment.objects.count() == Outcome.objects.count() == 30


def test_the_order_of_the_question_decides_nothing(scope):
    ids = accounts(40)
    one, two = start(subject_id=1), start(subject_id=2)
    Experiment.objects.update(seed="the same")
    assert draw(experiment=one, account_ids=ids, now=NOW) == draw(
        experiment=two, account_ids=ids[::-1] * 2, now=NOW
    )


def test_a_draw_can_be_checked_afterwards(scope):
    experiment, ids = start(), accounts(50)
    draw(experiment=experiment, account_ids=ids, now=NOW)
    experiment.refresh_from_db()
    arms = [(v.name, v.quota) for v in experiment.variants.order_by("pk")]
    for row in Assignment.objects.select_related("variant"):
        assert arm_at(experiment.seed, row.stratum, row.position, arms) == row.variant.name


def test_the_draw_belongs_to_the_callers_transaction(scope):
    experiment, ids = start(), accounts(10)
    with pytest.raises(RuntimeError), transaction.atomic():
        draw(experiment=experiment, account_ids=ids, now=NOW)
        raise RuntimeError("the motion fails after the draw")
    assert not Assignment.objects.exists() and not Outcome.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_draws_at_once_are_one_after_the_other(cast):
    with workspace_scope(cast.workspace.pk):
        experiment, ids = start(), accounts(160)
    shares = [ids[n * 20 : n * 20 + 30] for n in range(8)]  # they overlap by ten
    answers, errors = [], []
    begin = threading.Barrier(8)

    def one(share):
        try:
            begin.wait()
            with workspace_scope(cast.workspace.pk):
                answers.append(draw(experiment=experiment, account_ids=share, now=NOW))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with workspace_scope(cast.workspace.pk):
        stored = dict(Assignment.objects.values_list("account_id", "variant__name"))
        positions = sorted(Assignment.objects.values_list("position", flat=True))
    assert len(stored) == 160 and positions == list(range(160))
    assert Counter(stored.values())["holdout"] == 16
    assert all(stored[pk] == arm for answer in answers for pk, arm in answer.items())


def test_the_database_refuses_a_second_arm_and_a_second_place(scope):
    experiment, ids = start(), accounts(2)
    draw(experiment=experiment, account_ids=ids[:1], now=NOW)
    row = Assignment.objects.get()
    same = {f: getattr(row, f) for f in ("experiment", "variant", "stratum", "assigned_at", "ends_at")}
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(**same, account_id=ids[0], position=7)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(**same, account_id=ids[1], position=row.position)


def test_the_draw_closes_at_the_planned_size(scope):
    experiment, ids = start(planned_accounts=100), accounts(130)
    assert len(draw(experiment=experiment, account_ids=ids, now=NOW)) == 100
    assert len(draw(experiment=experiment, account_ids=ids, now=NOW)) == 100


def test_excluded_accounts_take_no_part_and_say_why(scope):
    experiment, ids = start(), accounts(20)
    assert exclude(experiment=experiment, account_id=ids[0], reason="board member", now=NOW)
    assert exclude(experiment=experiment, account_id=ids[0], reason="again", now=NOW)
    assert ids[0] not in draw(experiment=experiment, account_ids=ids, now=NOW)
    assert Exclusion.objects.get().reason == "board member"


def test_who_is_drawn_cannot_be_excluded_any_more(scope):
    experiment, ids = start(), accounts(1)
    draw(experiment=experiment, account_ids=ids, now=NOW)
    assert not exclude(experiment=experiment, account_id=ids[0], reason="too late", now=NOW)
    assert not Exclusion.objects.exists()


def test_exposure_is_noted_once_and_only_for_the_drawn(scope):
    experiment, (drawn, other) = start(), accounts(2)
    draw(experiment=experiment, account_ids=[drawn], now=NOW)
    for days in (1, 2):
        expose(experiment=experiment, account_id=drawn, now=NOW + timedelta(days=days))
        expose(experiment=experiment, account_id=other, now=NOW)
    assert Exposure.objects.get().exposed_at == NOW + timedelta(days=1)


def test_held_out_until_the_window_is_over(scope, django_assert_num_queries):
    experiment, ids = start(window_days=30), accounts(20)
    arms = draw(experiment=experiment, account_ids=ids, now=NOW)
    expected = {pk for pk, arm in arms.items() if arm == "holdout"}
    with django_assert_num_queries(1):
        found = held_out(ids, now=NOW + timedelta(days=29))
    assert set(found) == expected and len(expected) == 2
    (mark,) = found[expected.pop()]
    assert (mark.subject_id, mark.experiment, mark.until) == (
        1,
        "Call quiet accounts",
        NOW + timedelta(days=30),
    )
    after = NOW + timedelta(days=30)
    assert held_out(ids, now=after) == {}
    assert draw(experiment=experiment, account_ids=ids, now=after) == {}, (
        "then they are treated like all others"
    )


def test_stopping_releases_everybody_once(scope):
    experiment, ids = start(), accounts(20)
    draw(experiment=experiment, account_ids=ids, now=NOW)
    assert stop_experiment(experiment=experiment, acting_user=None, now=NOW)
    assert not stop_experiment(experiment=experiment, acting_user=None, now=NOW)
    assert held_out(ids, now=NOW) == {}
    assert draw(experiment=experiment, account_ids=ids, now=NOW) == {}
    assert running_experiment(experiment.subject_type, 1) is None
    assert start().is_running, "the next one may start"


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject_type": NOTICE},
        {"outcome": "saved"},
        {"window_days": 0},
        {"holdout_share": 0.01},
        {"holdout_share": 0.9},
        {"planned_accounts": 50},
    ],
)
def test_what_cannot_start(scope, wrong):
    with pytest.raises(ExperimentRefused):
        start(**wrong)
    assert not Experiment.objects.exists()


def test_one_experiment_at_a_time_for_one_subject(scope):
    start()
    with pytest.raises(ExperimentRefused):
        start()
    assert start(subject_id=2)


def test_an_unknown_kind_of_subject_fails(scope):
    with pytest.raises(UnknownName):
        start(subject_type="test.typo")


@pytest.mark.parametrize("kind", ["legal", "transactional", "dunning_first", "dunning_last"])
def test_what_everybody_must_get_is_refused_at_the_door(kind):
    with pytest.raises(ValueError, match="nobody is held out"):
        ExperimentSubject("test.x", "X", lambda pk: SubjectWords("X"), lambda pk: (), sends=frozenset({kind}))


def test_another_workspace_sees_nothing(cast):
    with workspace_scope(cast.workspace.pk):
        experiment, ids = start(), accounts(20)
        draw(experiment=experiment, account_ids=ids, now=NOW)
    with workspace_scope(cast.other.pk):
        assert held_out(ids, now=NOW) == {} and not Experiment.objects.exists()
