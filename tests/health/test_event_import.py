"""Usage from files: found accounts, kept times, nothing twice, gone with its undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Job
from accounts.services.import_undo import undo_import
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from health.import_kinds import AFTER_IMPORT
from health.models import AccountDay, Event, UnattributedUser, UsageRollup
from health.services.events import store_events
from health.services.fold import fold_workspace
from health.services.fold_requests import FOLD
from tests.accounts.imports.files import Importer, counts, problems, utc
from tests.conftest import Cast

HEAD = "message_id,account,subscription,contact,event,occurred_at,quantity,seconds\n"
ROWS = (
    "m1,a,,,Report Created,2024-05-01,3,60\n"
    "m2,,s,,Report Created,2023-05-01 10:00,2,\n"
    "m3,,,u1,Login,2024-05-02T08:00:00Z,,\n"
    "m4,,,MINA@example.com,Login,2024-05-02T09:00:00Z,,\n"
    "m5,a,,stranger,Login,2024-05-02T09:00:00Z,,\n"
)


@pytest.fixture
def bring(cast: Cast, tmp_path: Path) -> Importer:
    importer = Importer(tmp_path, cast.workspace)
    with workspace_scope(cast.workspace.pk):
        importer("accounts", "external_id\na\nb\n")
        importer("contacts", "external_id,account,email\nu1,a,mina@example.com\n")
        importer("subscriptions", "external_id,account,mrr,started_at\ns,b,10,2024-01-01\n")
    return importer


@pytest.fixture
def inside(bring: Importer):
    with workspace_scope(bring.workspace.pk):
        yield bring


def test_events_find_their_account_each_way(inside):
    outcome = inside("events", HEAD + ROWS)
    assert counts(outcome) == (5, 0, 0, 0)
    rows = {
        (e.name, e.account.external_id, e.contact_id is not None, e.quantity) for e in Event.objects.all()
    }
    assert rows == {
        ("Report Created", "a", False, 3.0),
        ("Report Created", "b", False, 2.0),
        ("Login", "a", True, 1.0),
        ("Login", "a", False, 1.0),
    }
    early = Event.objects.get(occurred_at=utc(2023, 5, 1, 10))
    assert early.properties is None
    assert Event.objects.get(quantity=3).properties == {"seconds": 60}


def test_twice_changes_nothing(inside):
    inside("events", HEAD + ROWS)
    assert counts(inside("events", HEAD + ROWS)) == (0, 0, 5, 0)
    without_id = "account,event,occurred_at\na,Login,2024-05-01\na,Login,2024-05-01\n"
    assert counts(inside("events", without_id)) == (1, 0, 1, 0)
    assert counts(inside("events", without_id)) == (0, 0, 2, 0)


def test_what_cannot_be_an_event_is_refused(inside):
    text = HEAD + (
        "m1,ghost,,,Login,2024-05-01,,\n"
        "m2,,ghost,,Login,2024-05-01,,\n"
        "m3,,,ghost,Login,2024-05-01,,\n"
        "m4,,,,Login,2024-05-01,,\n"
        "m5,a,,,Login,0001-01-01,,\n"
        "m6,a,,,Login,1999-12-31,,\n"
        "m7,a,,,Login,2024-05-01,many,\n"
        f"m8,a,,,{'x' * 201},2024-05-01,,\n"
        "m9,a,,,Login,2024-05-01,,\n"
    )
    outcome = inside("events", text)
    assert counts(outcome) == (1, 0, 0, 8)
    assert [(line, code) for line, _, code in problems(outcome)] == [
        (2, "unknown_account"),
        (3, "unknown_subscription"),
        (4, "unknown_contact"),
        (5, "no_account_key"),
        (6, "date_out_of_range"),
        (7, "refused_event"),
        (8, "not_a_number"),
        (9, "too_long"),
    ]
    assert all(str(refused.problem) for refused in outcome.refused)


@pytest.mark.django_db(transaction=True)
def test_an_undo_takes_the_events_and_their_days_back(bring):
    workspace_id = bring.workspace.pk
    bring("events", HEAD + "m0,a,,,Login,2024-05-02T07:00:00Z,,\n")
    outcome = bring("events", HEAD + ROWS)
    fold_workspace(workspace_id)
    with workspace_scope(workspace_id):
        assert UsageRollup.objects.get(name="Login", day="2024-05-02").events == 4
        report = undo_import(source_import=outcome.source_import, acting_user=None, now=timezone.now())
        assert report.removed == {"events": 5}
    fold_workspace(workspace_id)
    with workspace_scope(workspace_id):
        assert Event.objects.count() == 1
        assert list(AccountDay.objects.values_list("account__external_id", "events")) == [("a", 1)]


@pytest.mark.django_db(transaction=True)
def test_events_that_waited_are_attributed_after_an_import(cast, tmp_path):
    bring = Importer(tmp_path, cast.workspace)
    with workspace_scope(cast.workspace.pk):
        store_events(
            [(utc(2024, 5, 1), "Login", "m1", "", "a", 1.0, None)], received_at=utc(2024, 5, 1), source="http"
        )
        assert UnattributedUser.objects.filter(has_account=False).exists()
    fold_workspace(cast.workspace.pk)
    Job.objects.all().delete()
    outcome = bring("accounts", "external_id\na\n")
    assert set(Job.objects.values_list("kind", flat=True)) == {AFTER_IMPORT}
    run_due_jobs(limit=5, kind=AFTER_IMPORT)
    assert set(Job.objects.values_list("kind", flat=True)) == {FOLD}
    fold_workspace(cast.workspace.pk)
    with workspace_scope(cast.workspace.pk):
        assert Event.objects.get().account.external_id == "a"
        undo_import(source_import=outcome.source_import, acting_user=None, now=timezone.now())
        assert Event.objects.get().account_id is None
