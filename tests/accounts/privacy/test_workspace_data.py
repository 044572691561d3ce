"""The workspace's data: an export that is whole, retention that keeps counts, a deletion that leaves nothing."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.models import (
    Account,
    Job,
    OutboundEmail,
    RetentionChoice,
    StoredFile,
    User,
    Workspace,
    WorkspaceExport,
)
from accounts.models.base import WorkspaceModel
from accounts.services.jobs import run_due_jobs
from accounts.services.retention import PRUNE_JOB, choose_retention, request_pruning
from accounts.services.workspace_deletion import delete_due_workspaces
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.intake.rows import EventRow
from health.models import AccountDay, Event
from health.services.events import store_events
from health.services.fold import fold_workspace
from tests.accounts.web import web
from tests.builders import NOW, make_account, make_contact, queued


@pytest.fixture
def filled(cast):
    with workspace_scope(cast.workspace.pk):
        queued("Northwind\u0001 “\\n”")
        make_contact(make_account("Kestrel"))
        store_events(
            [EventRow(NOW, "Login", "m1", "u1", "kestrel", 1.0, {"a": "b\nc"})],
            received_at=NOW,
            source="http",
        )
    with workspace_scope(cast.other.pk):
        make_account("Zq9Foreign")
    return cast


def test_the_export_is_whole_readable_and_of_one_workspace_only(filled, tmp_path, capsys):
    out = tmp_path / "export"
    call_command("export_workspace", "acme", out=str(out), json=True)
    rows = {
        path.name: [json.loads(line) for line in path.read_text().splitlines()]
        for path in out.glob("*.jsonl")
    }
    assert [row["name"] for row in rows["accounts.account.jsonl"]] == ["Northwind\u0001 “\\n”", "Kestrel"]
    assert rows["health.event.jsonl"][0]["properties"] == {"a": "b\nc"}
    assert {row["role"] for row in rows["members.jsonl"]} == {"owner", "csm", "viewer"}
    assert "Zq9Foreign" not in "".join(path.read_text() for path in out.iterdir())
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rows"]["accounts.account"] == 2
    assert "accounts.account.jsonl" in (out / "README.md").read_text()
    for name in ("health.healthscore", "health.churnprediction", "accounts.note"):
        assert f"{name}.jsonl" in rows
    with pytest.raises(CommandError, match="not empty"):
        call_command("export_workspace", "acme", out=str(out))


def test_no_secret_leaves_with_the_export(filled, tmp_path):
    with workspace_scope(filled.workspace.pk):
        create_api_key(workspace=filled.workspace, scope="read", acting_user=None)
    call_command("export_workspace", "acme", out=str(tmp_path / "export"), json=True, stdout=io.StringIO())
    (key,) = (tmp_path / "export" / "accounts.apikey.jsonl").read_text().splitlines()
    assert {"scope", "hint"} < set(json.loads(key))
    assert "secret_hash" not in json.loads(key)


def test_an_owner_downloads_it_an_admin_does_not(filled):
    owner = web(filled.ada)
    owner.post("/settings/data/exports/")
    owner.post("/settings/data/exports/")
    with workspace_scope(filled.workspace.pk):
        export = WorkspaceExport.objects.get()
    run_due_jobs(limit=5, kind="accounts.export_workspace")
    answer = owner.get(f"/settings/data/exports/{export.public_id}/file/")
    names = zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
    assert {"README.md", "accounts.account.jsonl"} <= set(names)
    assert web(filled.ben.user).get(f"/settings/data/exports/{export.public_id}/file/").status_code == 403
    with workspace_scope(filled.workspace.pk):
        StoredFile.objects.update(expires_at=NOW - timedelta(days=900))
    assert owner.get(f"/settings/data/exports/{export.public_id}/file/").status_code == 404


def prune(now):
    with time_machine.travel(now, tick=False):
        request_pruning()
        run_due_jobs(limit=10, kind=PRUNE_JOB)


def test_details_go_after_their_time_and_counts_stay(filled):
    with workspace_scope(filled.workspace.pk):
        OutboundEmail.objects.create(
            kind="accounts.invitation", to_address="a@example.com", context={"a": 1}, status="failed"
        )
        OutboundEmail.objects.create(kind="accounts.invitation", to_address="b@example.com", context={"a": 1})
        OutboundEmail.objects.update(created_at=NOW)
    fold_workspace(filled.workspace.pk)
    with workspace_scope(filled.workspace.pk):
        before = list(AccountDay.objects.values_list("events", "active_contacts"))
    prune(NOW + timedelta(days=29))
    with workspace_scope(filled.workspace.pk):
        assert Event.objects.get().properties
        choose_retention(kind="health.event_properties", days=30, acting_user=filled.ada)
        choose_retention(kind="accounts.mail_content", days=7, acting_user=filled.ada)
    prune(NOW + timedelta(days=31))
    with workspace_scope(filled.workspace.pk):
        assert Event.objects.get().properties is None
        contexts = OutboundEmail.objects.order_by("pk").values_list("context", flat=True)
        assert list(contexts) == [{}, {"a": 1}], "a mail that waits keeps what it has to say"
        assert list(AccountDay.objects.values_list("events", "active_contacts")) == before


def test_nothing_is_kept_shorter_than_it_is_needed(filled):
    client = web(filled.ada)
    form = client.get("/settings/data/").context["form"]
    fields = {name: field.initial for name, field in form.fields.items()}
    answer = client.post("/settings/data/", fields | {"health.snapshots": 3})
    assert answer.status_code == 422
    client.post("/settings/data/", fields | {"health.snapshots": 500})
    with workspace_scope(filled.workspace.pk):
        assert RetentionChoice.objects.get().days == 500


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_deletion_waits_for_its_grace_and_then_leaves_nothing(filled):
    client = web(filled.ada)
    assert client.post("/settings/data/deletion/", {"word": "acme corp"}).status_code == 422
    client.post("/settings/data/deletion/", {"word": "acme"})
    workspace = Workspace.objects.get(slug="acme")
    assert "will be deleted" in client.get("/settings/data/").content.decode()
    assert delete_due_workspaces(workspace.deletion_due_at - timedelta(seconds=1)) == 0
    assert delete_due_workspaces(workspace.deletion_due_at) == 1
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace', %s, false)", [str(workspace.pk)])
        for model in apps.get_models():
            if issubclass(model, WorkspaceModel):
                cursor.execute(
                    f'SELECT count(*) FROM "{model._meta.db_table}" WHERE workspace_id = %s', [workspace.pk]
                )
                assert cursor.fetchone()[0] == 0, model
        cursor.execute("RESET app.workspace")
    assert not Job.objects.filter(workspace_id=workspace.pk).exists()
    assert not User.objects.filter(pk__in=[filled.ada.pk, filled.ben.user_id]).exists()
    with workspace_scope(filled.other.pk):
        assert Account.objects.get().name == "Zq9Foreign"
    assert User.objects.filter(pk=filled.zoe.pk).exists()


def test_an_owner_takes_the_deletion_back(filled):
    client = web(filled.ada)
    client.post("/settings/data/deletion/", {"word": "acme"})
    client.post("/settings/data/deletion/withdrawal/")
    assert delete_due_workspaces(NOW + timedelta(days=999)) == 0
