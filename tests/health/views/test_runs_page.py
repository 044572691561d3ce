"""Nightly runs: started, watched, and helped on when a stage has failed."""

from __future__ import annotations

import pytest

from accounts.models import Job
from cs_platform.lib.scoping import workspace_scope
from health.models import NightRun, RunStatus, StageRun
from health.services import nights
from health.services.nights import STAGE_JOB, STAGES
from tests.builders import TODAY
from tests.conftest import Cast
from tests.health.views.measured import drain, web

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]


def night(cast: Cast) -> NightRun:
    with workspace_scope(cast.workspace.pk):
        return NightRun.objects.get()


def test_a_run_begins_is_watched_and_ends(cast: Cast) -> None:
    client = web(cast.ada)
    assert "No run yet" in client.get("/health/runs/").content.decode()
    answer = client.post("/health/runs/", follow=True)
    assert answer.redirect_chain == [(f"/health/runs/{night(cast).public_id}/", 302)]
    progress = f"/health/runs/{night(cast).public_id}/progress/"
    part = client.get(progress).content.decode()
    assert f'hx-get="{progress}"' in part
    assert f"0 of {len(STAGES)} stages" in part
    drain()
    part = client.get(progress).content.decode()
    assert "hx-get" not in part
    assert f"{len(STAGES)} of {len(STAGES)} stages" in part
    assert night(cast).as_of == TODAY
    assert night(cast).requested_by == cast.ada
    page = client.get("/health/runs/").content.decode()
    assert "Done" in page
    assert "Ada" in page


def test_a_failed_stage_is_said_and_tried_again_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = web(cast.ada)
    broken = tuple(s if s.name != "risk" else nights.Stage("risk", lambda *_: 1 // 0) for s in STAGES)
    with monkeypatch.context() as patch:
        patch.setattr(nights, "STAGES", broken)
        client.post("/health/runs/")
        drain()
    page = client.get(f"/health/runs/{night(cast).public_id}/").content.decode()
    assert "Failed with ZeroDivisionError. What was done before is kept" in page
    assert f"6 of {len(STAGES)} stages" in page
    client.post("/health/runs/")
    drain()
    assert night(cast).status == RunStatus.DONE


def test_a_run_that_was_given_up_goes_on_when_asked(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = web(cast.ada)
    client.post("/health/runs/")
    with workspace_scope(cast.workspace.pk):
        StageRun.objects.update(status=RunStatus.FAILED, error="OperationalError")
    Job.objects.filter(kind=STAGE_JOB).update(parked_at="2026-11-20T00:00:00Z")
    page = client.get(f"/health/runs/{night(cast).public_id}/progress/").content.decode()
    assert "given up" in page
    assert "hx-get" not in page
    client.post("/health/runs/")
    drain()
    assert night(cast).status == RunStatus.DONE


def test_others_look_only(cast: Cast) -> None:
    ben = web(cast.ben.user)
    assert "Run now" not in ben.get("/health/runs/").content.decode()
    assert ben.post("/health/runs/").status_code == 403
