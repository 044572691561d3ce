"""The pages: the answer, what it stands on, the stop button, and the marks where people work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Role
from cs_platform.lib.scoping import workspace_scope
from health.models import Assignment
from health.services.experiments import draw, exclude
from tests.builders import join, queued
from tests.conftest import Cast
from tests.health.experiments.builders import start, told

pytestmark = pytest.mark.django_db


def page_of(user, path):
    client = Client()
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


def test_an_empty_list_says_what_to_do_next(cast: Cast):
    assert "A playbook starts one when it is published" in page_of(cast.vera.user, "/health/experiments/")


def test_the_list_shows_both_rates_with_denominators(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        told(treated=(330, 360), control=(20, 40))
        told(treated=(8, 9), control=(1, 1), subject_id=2, name="Quiet <accounts>")
    page = page_of(cast.vera.user, "/health/experiments/")
    assert "91.7% (330 of 360)" in page and "50.0% (20 of 40)" in page and "It helped" in page
    assert "Too early to say" in page and "Quiet &lt;accounts&gt;" in page
    assert "Quiet" not in page_of(cast.vera.user, "/health/experiments/?state=stopped")


def test_the_page_of_one(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        experiment = told(treated=(330, 360), control=(20, 40), planned_accounts=1000)
        row = Assignment.objects.filter(experiment=experiment).first()
        spare = queued("Northwind")
        exclude(experiment=experiment, account_id=spare.pk, reason="in litigation", now=timezone.now())
        held = Assignment.objects.filter(experiment=experiment, variant__is_holdout=True).first()
        Assignment.objects.filter(pk=held.pk).update(ends_at=timezone.now() + timedelta(days=5))
        name = held.account.name
    page = page_of(cast.ada, f"/health/experiments/{experiment.public_id}/")
    for words in (
        "Red, smaller ARR",
        "330 / 360",
        "20 / 40",
        "Northwind",
        "in litigation",
        name,
        "Play 1",
        "400",
    ):
        assert words in page, words
    assert "saved ARR" not in page
    assert row is not None


def test_the_page_costs_few_queries(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        experiment = told(treated=(330, 360), control=(20, 40))
    client = Client()
    client.force_login(cast.ada)
    for path in ("/health/experiments/", f"/health/experiments/{experiment.public_id}/"):
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        assert len(captured) <= 30, (path, len(captured))


def test_an_admin_stops_it_and_a_csm_may_not(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        experiment = start()
    path = f"/health/experiments/{experiment.public_id}/"
    assert "Stop the experiment" in page_of(cast.ada, f"{path}stop/")
    for user, status in ((cast.ben.user, 403), (cast.ada, 302)):
        client = Client()
        client.force_login(user)
        assert client.post(f"{path}stop/").status_code == status
    page = page_of(cast.ada, path)
    assert "Stopped by hand" in page and "stop/" not in page
    with workspace_scope(cast.workspace.pk):
        assert AuditEntry.objects.filter(action="health.experiment.stopped").count() == 1


def test_the_plan_before_the_start(cast: Cast):
    assert "With 40 accounts a month" in page_of(cast.vera.user, "/health/experiments/plan/")
    wrong = "/health/experiments/plan/?outcome=retained&who=red&window_days=0&holdout_share=0.1&accounts_a_month=40"
    page = page_of(cast.vera.user, wrong)
    assert "Correct the fields below." in page and 'value="40"' in page


def test_files(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        experiment = told(treated=(330, 360), control=(20, 40), name="=cmd()")
    client = Client()
    client.force_login(cast.vera.user)
    everything = client.get("/health/experiments/export.csv").content.decode()
    assert "'=cmd()" in everything
    drawn = client.get(f"/health/experiments/{experiment.public_id}/export.csv")
    assert drawn["Content-Disposition"] == 'attachment; filename="cmd.csv"'
    assert len(drawn.content.decode().splitlines()) == 401


def test_held_out_accounts_are_marked_where_people_work(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        found = [queued(f"Customer {number}", csm=cast.ben) for number in range(10)]
        experiment = start(now=timezone.now())
        arms = draw(experiment=experiment, account_ids=[a.pk for a in found], now=timezone.now())
        (held,) = (a for a in found if arms[a.pk] == "holdout")
        free = next(a for a in found if arms[a.pk] == "treatment")
    queue = page_of(cast.ben.user, "/queue/")
    assert queue.count("Held out of “Call quiet accounts”") == 1
    for path in ("/queue/{}/", "/accounts/{}/"):
        assert "to measure what this does" in page_of(cast.ben.user, path.format(held.public_id))
        assert "to measure what this does" not in page_of(cast.ben.user, path.format(free.public_id))


def test_a_new_role_sees_but_cannot_touch(cast: Cast):
    with workspace_scope(cast.workspace.pk):
        experiment = start()
    admin = join(cast.workspace, "Nia", Role.ADMIN)
    path = f"/health/experiments/{experiment.public_id}/"
    assert "/stop/" in page_of(admin.user, path)
    assert "/stop/" not in page_of(cast.vera.user, path)
