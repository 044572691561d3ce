"""The night: once per date, in stages, redone after a kill with the same result."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from accounts.models import Job
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountState, HealthScore, NightRun, QueueEntry, Risk, RunStatus, StageRun
from health.services import nights
from health.services.nights import STAGE_JOB, STAGES, due_date, start_due_nights, start_night
from tests.stack import REPOSITORY, STACK

AS_OF = date(2026, 11, 1)
# The days around which the four zones change their clocks in 2026.
CLOCK_CHANGES = [
    datetime(2026, m, d, 0, 30, tzinfo=UTC) for m, d in ((3, 7), (3, 28), (9, 5), (10, 24), (10, 31))
]


def simulate(slug, accounts=40, days=120):
    call_command(
        "simulate",
        workspace=slug,
        accounts=accounts,
        days=days,
        seed=7,
        end=AS_OF,
        stdout=StringIO(),
        stderr=StringIO(),
    )


def begin(cast, **options):
    with workspace_scope(cast.workspace.pk):
        return start_night(as_of=AS_OF, acting_user=None, **options)


def drain():
    return run_due_jobs(limit=100, kind=STAGE_JOB)


def result(cast):
    """Everything the night says about each account, without ids of rows."""
    with workspace_scope(cast.workspace.pk):
        return {
            "states": list(
                AccountState.objects.order_by("account_id").values_list(
                    "account_id",
                    "health_score",
                    "health_band",
                    "expected_loss_minor",
                    "sparkline",
                    "events_total",
                )
            ),
            "scores": list(
                HealthScore.objects.order_by("account_id").values_list(
                    "account_id", "as_of", "score", "contributions"
                )
            ),
            "risks": list(
                Risk.objects.order_by("account_id", "cause").values_list(
                    "account_id", "cause", "severity", "evidence", "opened_on", "closed_on"
                )
            ),
            "queue": list(
                QueueEntry.objects.order_by("account_id").values_list(
                    "account_id", "expected_loss_minor", "items"
                )
            ),
        }


def stages(cast):
    with workspace_scope(cast.workspace.pk):
        return list(StageRun.objects.order_by("position", "shard").values_list("stage", "status"))


def test_every_stage_runs_once_in_order(cast):
    begin(cast)
    assert drain() == len(STAGES)
    assert stages(cast) == [(stage.name, RunStatus.DONE) for stage in STAGES]
    with workspace_scope(cast.workspace.pk):
        night = NightRun.objects.get()
    assert night.status == RunStatus.DONE
    assert set(night.result) == {stage.name for stage in STAGES}
    assert not Job.objects.filter(kind=STAGE_JOB).exists()


def test_a_date_has_one_night(cast):
    begin(cast)
    begin(cast)
    drain()
    begin(cast)
    assert drain() == 0, "a finished night is not run again unless it is asked for"
    begin(cast, again=True)
    assert drain() == len(STAGES)


def test_a_failed_stage_keeps_what_was_done_and_goes_on_later(cast, monkeypatch):
    broken = [stage if stage.name != "risk" else nights.Stage("risk", lambda *_: 1 // 0) for stage in STAGES]
    with monkeypatch.context() as patch:
        patch.setattr(nights, "STAGES", tuple(broken))
        begin(cast)
        drain()
    assert stages(cast)[-1] == ("risk", RunStatus.FAILED)
    Job.objects.filter(kind=STAGE_JOB).update(due_at="2000-01-01T00:00:00Z")
    drain()
    assert {status for _, status in stages(cast)} == {RunStatus.DONE}


def test_large_workspaces_run_in_shards_with_the_same_result(cast, monkeypatch):
    simulate("acme", accounts=24, days=60)
    with monkeypatch.context() as patch:
        patch.setattr(nights, "SHARD_ACCOUNTS", 7)
        begin(cast)
        assert drain() > len(STAGES)
    in_shards = result(cast)
    begin(cast, again=True)
    drain()
    assert result(cast) == in_shards


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Europe/Berlin", "America/Santiago"])
def test_each_local_date_runs_once_over_a_change_of_clocks(cast, zone):
    workspace = cast.workspace
    workspace.time_zone = zone
    workspace.save()
    due = set()
    for first in CLOCK_CHANGES:
        for hour in range(72):
            now = first + timedelta(hours=hour)
            start_due_nights(now)
            wall = now.astimezone(ZoneInfo(zone))
            due |= {wall.date()} if wall.hour >= workspace.night_hour else set()
    with workspace_scope(workspace.pk):
        nights_of = list(NightRun.objects.values_list("as_of", flat=True))
    assert sorted(nights_of) == sorted(due)
    assert len(nights_of) >= 12


def test_a_late_start_scores_the_right_date(cast):
    late = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    assert due_date(cast.workspace, late) == date(2026, 11, 2)
    assert due_date(cast.workspace, datetime(2026, 11, 2, 1, 59, tzinfo=UTC)) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_a_killed_night_ends_with_the_undisturbed_result(cast, kills):
    """kill -9 of the process at random moments; leases run out; another process goes on."""
    simulate("acme")
    begin(cast)
    drain()
    undisturbed = result(cast)
    _forget_night(cast)
    assert result(cast)["states"] == []
    seed = random.randrange(10_000)
    print(f"seed {seed}")
    moments = random.Random(seed)
    hit = Counter()
    while hit.total() < kills:
        process = _start_run_daily()
        process.stderr.readline()  # the first stage is done
        time.sleep(moments.uniform(0, 0.4))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        cut_off = [stage for stage, status in stages(cast) if status != RunStatus.DONE]
        hit.update(cut_off[:1])  # none: the kill came after the night, and the next run begins anew
        Job.objects.update(lease_until="2000-01-01T00:00:00Z")  # as if its lease had run out
    print(f"killed in {dict(hit)}")
    last = _start_run_daily()
    _, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert result(cast) == undisturbed


def _start_run_daily():
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_daily", "--workspace", "acme", "--as-of", AS_OF.isoformat()],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _forget_night(cast):
    """Empty what the night wrote, as owner, so that the next one starts from the same facts."""
    tables = "health_nightrun, health_accountstate, health_healthscore, health_risk, health_queueentry"
    with STACK.owner() as owner:
        owner.execute(f"TRUNCATE {tables}, health_accountsnapshot, health_queueitem CASCADE")
