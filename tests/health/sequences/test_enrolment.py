"""Who begins, who does not and why, and what happens on a day with too many."""

from datetime import timedelta

import pytest

from accounts.models import AuditEntry, Job, LetGo, Segment, SegmentMembership
from accounts.services.segments import SegmentInUse, delete_segment
from health.models import Assignment, Exclusion, Exposure, Risk, Sequence, SequenceRun
from health.queries.sequence_candidates import find_candidates
from health.sequences.definition import SequenceDefinition
from health.services.sequence_engine import advance
from health.services.sequence_night import end_pointless, run_sequences
from health.services.sequence_plans import (
    archive_sequence,
    in_force,
    pause_sequence,
    release_sequence,
    save_draft,
)
from health.services.sequence_runs import RUN_JOB
from health.services.sequences import enrol, enrol_due
from tests.builders import NOW, TODAY
from tests.health.sequences.builders import ASK, EVENING, NORTH, definition, make_quiet, make_sequence

pytestmark = pytest.mark.usefixtures("scope")
DAY = timedelta(days=1)


def skipped(sequence, now=NOW):
    chosen = SequenceDefinition.of_json(in_force(sequence).definition)
    return find_candidates(sequence, chosen, now=now).skipped


def test_everybody_with_the_risk_begins_once_and_the_largest_loss_first():
    sequence = make_sequence(daily_cap=2)
    for name, loss in (("Small", 1), ("Large", 3), ("Middle", 2)):
        make_quiet(name, expected_loss_minor=loss)
    found = enrol_due(sequence, now=NOW)
    assert (found.begun, found.waiting) == (2, 1)
    assert {run.account.name for run in SequenceRun.objects.all()} == {"Large", "Middle"}


def test_the_cap_pauses_tells_and_lets_nobody_in_until_released(scope):
    sequence = make_sequence(daily_cap=2)
    for number in range(5):
        make_quiet(f"Quiet {number}")
    enrol_due(sequence, now=NOW)
    sequence.refresh_from_db()
    assert (sequence.pause_reason, sequence.waiting_accounts) == ("cap", 3)
    assert AuditEntry.objects.filter(action="health.sequence.capped").count() == 1
    for later in (NOW, NOW + DAY, NOW + 10 * DAY):
        assert enrol_due(sequence, now=later).begun == 0
    run = SequenceRun.objects.first()
    assert advance(run.pk, now=NOW) is None, "what runs goes on"
    assert SequenceRun.objects.get(pk=run.pk).state == "done"
    release_sequence(sequence=sequence, acting_user=scope.ada, now=NOW + DAY)
    assert enrol_due(sequence, now=NOW + DAY).begun == 2
    assert SequenceRun.objects.count() == 4


def test_the_cap_counts_a_local_day_over_all_rounds():
    sequence = make_sequence(daily_cap=2)
    make_quiet("One")
    enrol_due(sequence, now=NOW)
    make_quiet("Two"), make_quiet("Three")
    assert enrol_due(sequence, now=NOW + timedelta(hours=1)).begun == 1


def test_by_hand_counts_for_the_cap_too(scope):
    sequence = make_sequence(daily_cap=1)
    first, second = make_quiet("One"), make_quiet("Two")
    assert enrol(sequence=sequence, account=first, source="hand:1", acting_user=scope.ada, now=NOW)
    assert enrol(sequence=sequence, account=second, source="hand:2", acting_user=scope.ada, now=NOW) is None
    sequence.refresh_from_db()
    assert sequence.pause_reason == "cap"


def test_why_an_account_is_left_out():
    sequence = make_sequence(EVENING, audience={"any": [NORTH]}, again_days=30, at_most=2)
    gone = make_quiet("North gone")
    LetGo.objects.create(account=gone, note="x", decided_at=NOW)
    lapsed, elsewhere = make_quiet("North lapsed", is_customer=False), make_quiet("South")
    running = make_quiet("North")
    enrol(sequence=sequence, account=running, source="x", acting_user=None, now=NOW)
    assert skipped(sequence) == {
        gone.pk: "let_go",
        lapsed.pk: "not_customer",
        elsewhere.pk: "audience",
        running.pk: "running",
    }


def new_risk(account):
    Risk.objects.filter(account=account, closed_on=None).update(closed_on=TODAY)
    Risk.objects.create(account=account, cause="gone_quiet", severity=3, opened_on=TODAY, refreshed_on=TODAY)


def test_not_again_for_the_same_risk_too_soon_or_too_often():
    sequence = make_sequence(again_days=30, at_most=2)
    account = make_quiet("North")

    def round_at(now):
        begun = enrol_due(sequence, now=now).begun
        for run in SequenceRun.objects.filter(state="active"):
            advance(run.pk, now=now)
        return begun

    assert round_at(NOW) == 1
    assert round_at(NOW + 40 * DAY) == 0 and skipped(sequence, NOW + 40 * DAY) == {account.pk: "handled"}
    new_risk(account)
    assert skipped(sequence, NOW + 29 * DAY) == {account.pk: "too_soon"}
    assert round_at(NOW + 31 * DAY) == 1
    new_risk(account)
    assert skipped(sequence, NOW + 90 * DAY) == {account.pk: "at_most"}


def test_a_segment_begins_with_those_who_enter_or_with_all():
    segment = Segment.objects.create(name="Big")
    early, late = make_quiet("Early"), make_quiet("Late")
    SegmentMembership.objects.create(segment=segment, account=early, entered_at=NOW - DAY)
    trigger = {"on": "segment", "segment": str(segment.public_id)}
    entering = make_sequence(name="Entering", trigger=trigger, exits=["segment_left"])
    everybody = make_sequence(
        EVENING, name="All", trigger={**trigger, "existing": True}, exits=["segment_left"]
    )
    stay = SegmentMembership.objects.create(segment=segment, account=late, entered_at=NOW + DAY)
    assert enrol_due(entering, now=NOW + DAY).begun == 1
    assert enrol_due(everybody, now=NOW + DAY).begun == 2
    run = SequenceRun.objects.get(sequence=everybody, account=late)
    assert run.source == f"segment:{stay.pk}"
    for waiting in SequenceRun.objects.filter(sequence=everybody):
        advance(waiting.pk, now=NOW + DAY)
    SegmentMembership.objects.filter(pk=stay.pk).update(left_at=NOW + 2 * DAY)
    assert end_pointless(now=NOW + 2 * DAY) == 1
    assert SequenceRun.objects.get(pk=run.pk).end_reason == "segment_left"


def test_nobody_held_out_is_ever_begun(scope):
    """Drawn at the door by the night; then neither the night nor a person begins with them."""
    sequence = make_sequence(holdout_percent=50)
    accounts = [make_quiet(f"Quiet {number}") for number in range(20)]
    found = enrol_due(sequence, now=NOW)
    held = set(Assignment.objects.filter(variant__is_holdout=True).values_list("account_id", flat=True))
    assert found.begun + found.held_out == 20 and found.held_out == len(held) > 0
    assert not SequenceRun.objects.filter(account_id__in=held).exists()
    assert enrol_due(sequence, now=NOW + DAY).begun == 0
    for account in accounts:
        if account.pk in held:
            source = f"hand:{account.pk}"
            assert (
                enrol(sequence=sequence, account=account, source=source, acting_user=scope.ada, now=NOW)
                is None
            )
            assert skipped(sequence)[account.pk] == "held_out"


def test_a_motion_begins_with_nobody_whom_the_draw_holds_out():
    """One account at a time: drawn before anything is written, so that of a held-out one neither run nor job is left."""
    sequence = make_sequence(holdout_percent=50)
    accounts = [make_quiet(f"Quiet {number}") for number in range(12)]
    begun = {
        account.pk
        for account in accounts
        if enrol(sequence=sequence, account=account, source=f"m:{account.pk}", acting_user=None, now=NOW)
    }
    drawn = dict(Assignment.objects.values_list("account_id", "variant__is_holdout"))
    assert set(drawn) == {account.pk for account in accounts}
    assert begun == {pk for pk, is_held_out in drawn.items() if not is_held_out} and len(begun) < 12
    runs = dict(SequenceRun.objects.values_list("account_id", "pk"))
    assert set(runs) == begun
    assert set(Job.objects.filter(kind=RUN_JOB).values_list("object_id", flat=True)) == set(runs.values())
    assert AuditEntry.objects.filter(action="health.sequence.run_begun").count() == len(begun)


def test_begun_by_hand_is_no_part_of_the_comparison(scope):
    sequence = make_sequence(holdout_percent=50)
    account = make_quiet("North")
    assert enrol(sequence=sequence, account=account, source="hand:1", acting_user=scope.ada, now=NOW)
    assert Exclusion.objects.get().account == account and not Assignment.objects.exists()


def test_a_step_with_an_effect_exposes():
    sequence = make_sequence(EVENING, ASK, holdout_percent=5)
    account = make_quiet("North")
    enrol_due(sequence, now=NOW)
    run = SequenceRun.objects.get(account=account)
    advance(run.pk, now=NOW)
    assignment = Assignment.objects.get(account=account)
    assert not Exposure.objects.exists()
    advance(run.pk, now=NOW + 3 * DAY)
    exposure = Exposure.objects.get()
    assert (exposure.assignment, exposure.exposed_at) == (assignment, NOW + 3 * DAY)


def test_once_per_source_whoever_asks(scope):
    sequence, account = make_sequence(), make_quiet("North")
    first = enrol(sequence=sequence, account=account, source="hand:1", acting_user=scope.ada, now=NOW)
    advance(first.pk, now=NOW)
    assert enrol(sequence=sequence, account=account, source="hand:1", acting_user=scope.ada, now=NOW) is None


def test_a_draft_begins_nothing(scope):
    make_quiet("North")
    sequence = Sequence.objects.create(name="Draft")
    save_draft(sequence=sequence, definition=definition(), acting_user=scope.ada)
    assert run_sequences(as_of=TODAY, now=NOW) == 0


def test_paused_and_archived_begin_nothing(scope):
    sequence = make_sequence(EVENING)
    make_quiet("North")
    pause_sequence(sequence=sequence, acting_user=scope.ada, now=NOW)
    assert enrol_due(sequence, now=NOW).begun == 0
    release_sequence(sequence=sequence, acting_user=scope.ada, now=NOW)
    assert enrol_due(sequence, now=NOW).begun == 1
    assert archive_sequence(sequence=sequence, acting_user=scope.ada, now=NOW) == 1
    assert SequenceRun.objects.get().end_reason == "archived"
    make_quiet("South")
    assert enrol_due(sequence, now=NOW).begun == 0


def test_a_segment_that_a_playbook_stands_on_stays():
    begins, asked, free = (Segment.objects.create(name=name) for name in ("Begins", "Asked", "Free"))
    make_sequence(
        name="Entering", trigger={"on": "segment", "segment": str(begins.public_id)}, exits=["segment_left"]
    )
    rule = {"field": "segment", "op": "any_of", "value": [str(asked.public_id)]}
    make_sequence(name="Asking", audience={"all": [rule]})
    for segment, playbook in ((begins, "Entering"), (asked, "Asking")):
        with pytest.raises(SegmentInUse) as refused:
            delete_segment(segment=segment, acting_user=None)
        assert playbook in str(refused.value)
    delete_segment(segment=free, acting_user=None)
