"""A step is whole or not there: crashes in the middle, workers that were overtaken, errors that stay."""

import pytest

from accounts.models import Activity, Job
from accounts.services.jobs import ComeBack, LostLease, claim, run
from cs_platform.lib.scoping import workspace_scope
from health.models import SequenceRun, StepRun
from health.services import sequence_engine
from health.services.sequence_runs import RUN_JOB
from health.services.sequences import enrol
from tests.builders import NOW, expire_leases
from tests.health.sequences.builders import EVENING, make_quiet, make_sequence
from tests.workbench.sequence_steps import NAME

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = {"kind": NAME}


@pytest.fixture
def begun(cast):
    with workspace_scope(cast.workspace.pk):
        sequence = make_sequence(NOTE, EVENING, NOTE)
        found = enrol(sequence=sequence, account=make_quiet("North"), source="x", acting_user=None, now=NOW)
    Job.objects.exclude(kind=RUN_JOB).delete()
    return found


def counts(cast):
    with workspace_scope(cast.workspace.pk):
        return Activity.objects.count(), StepRun.objects.count(), SequenceRun.objects.get().position


def test_a_crash_between_effect_and_advance_leaves_nothing(cast, begun, monkeypatch):
    def die(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sequence_engine, "_go_on", die)
        with pytest.raises(KeyboardInterrupt):
            run(claim(kind=RUN_JOB))
    assert counts(cast) == (0, 0, 0)
    expire_leases()
    run(claim(kind=RUN_JOB))
    assert counts(cast) == (1, 2, 1)


def test_an_overtaken_worker_writes_nothing(cast, begun):
    slow = claim(kind=RUN_JOB)
    expire_leases()
    assert claim(kind=RUN_JOB) is not None
    with pytest.raises(LostLease):
        sequence_engine.run_by_job(slow)
    assert counts(cast) == (0, 0, 0)


def test_a_waiting_run_has_its_job_at_the_end_of_the_wait(cast, begun):
    lease = claim(kind=RUN_JOB)
    with pytest.raises(ComeBack) as later:
        sequence_engine.run_by_job(lease)
    assert later.value.delay.days == 3
    expire_leases()
    run(claim(kind=RUN_JOB))
    assert claim(kind=RUN_JOB) is None and Job.objects.filter(kind=RUN_JOB).count() == 1


def test_what_fails_is_tried_again_then_set_aside_and_said(cast, begun, monkeypatch):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(sequence_engine, "note_exposure", broken)
    for _attempt in range(sequence_engine.MAX_ATTEMPTS):
        Job.objects.update(due_at=NOW.replace(year=2000))
        run(claim(kind=RUN_JOB))
    with workspace_scope(cast.workspace.pk):
        found = SequenceRun.objects.get()
        assert (found.state, found.end_reason) == ("failed", "ZeroDivisionError")
        assert StepRun.objects.get().state == "failed" and not Activity.objects.exists()
    assert not Job.objects.filter(kind=RUN_JOB).exists()
