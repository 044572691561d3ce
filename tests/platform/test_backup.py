"""Backup and restore: the same rows again, and nothing sent or told twice without a human."""

import json
import zipfile
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.change_times import mirrored_models
from accounts.models import Account, Job, OutboundEmail, WebhookDelivery, Workspace
from accounts.services.jobs import run_due_jobs
from accounts.services.mail import SEND_JOB, queue_mail
from accounts.services.outside_hold import DISCARDED
from accounts.tenancy import workspace_models
from cs_platform.backups.tables import tables
from cs_platform.lib.scoping import workspace_scope
from health.intake.rows import EventRow
from health.services.events import store_events
from tests.accounts.web import web
from tests.builders import NOW, make_account, queued

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture
def filled(cast):
    for workspace, name in ((cast.workspace, "Northwind \\ \t“x”"), (cast.other, "Foreign")):
        with workspace_scope(workspace.pk):
            queued(name)
            store_events(
                [
                    EventRow(NOW - timedelta(days=d), "Login", f"m{d}", "u1", "", 1.0, {"n": "a\nb"})
                    for d in (0, 40)
                ],
                received_at=NOW,
                source="http",
            )
            context = {"link": "https://example.com/", "invited_by": "Ada", "days": 14}
            queue_mail("accounts.invitation", to_address="new@example.com", context=context, language="en")
    return cast


def rows():
    """Every row of every table that a backup holds, as the database writes it."""
    with connections["owner"].cursor() as cursor:
        found = tables(cursor)
        everything = {}
        # Whoever follows the changes is to read what a restore brought back.
        mirrored = {model._meta.db_table for model in mirrored_models()}
        cursor.execute("SELECT id FROM accounts_workspace ORDER BY id")
        scopes = [row[0] for row in cursor.fetchall()]
        for table in found:
            lines = []
            for scope in scopes if table.is_scoped else [None]:
                cursor.execute("SELECT set_config('app.workspace', %s, false)", [str(scope or scopes[0])])
                hidden = {"outside_held_since"} | ({"updated_at"} if table.name in mirrored else set())
                columns = ", ".join(f'"{name}"' for name in table.columns if name not in hidden)
                where = f"WHERE workspace_id = {scope}" if scope else ""
                cursor.execute(f'SELECT row({columns})::text FROM "{table.name}" {where}')
                lines += [row[0] for row in cursor.fetchall()]
            everything[table.name] = sorted(lines)
        cursor.execute("RESET app.workspace")
    return everything


def wipe():
    """An empty machine: the tables are there, and nothing in them."""
    with connections["owner"].cursor() as cursor:
        names = ", ".join(f'"{table.name}"' for table in tables(cursor))
        cursor.execute(f"TRUNCATE {names} CASCADE")


@pytest.fixture
def restored(filled, tmp_path):
    before = rows()
    call_command("backup", str(tmp_path / "all.zip"), json=True)
    wipe()
    call_command("restore", str(tmp_path / "all.zip"), json=True)
    return before


def test_every_row_is_there_again_and_the_walls_stand(restored, filled):
    assert rows() == restored
    assert len(restored["health_event"]) == 4
    with workspace_scope(filled.workspace.pk):
        assert Account.objects.get().name == "Northwind \\ \t“x”"
        make_account("New").delete()
    with connections["owner"].cursor() as cursor:
        names = [model._meta.db_table for model in workspace_models()]
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND NOT relforcerowsecurity", [names]
        )
        assert cursor.fetchall() == []


def test_nothing_is_sent_until_an_owner_releases_it(restored, filled):
    Job.objects.update(due_at="2000-01-01T00:00:00Z")
    assert run_due_jobs(limit=20, kind=SEND_JOB) == 0
    assert run_due_jobs(limit=20) > 0, "work that stays inside goes on"
    assert mail.outbox == []
    client = web(filled.ada)
    page = client.get("/settings/restore/").content.decode()
    assert "new@example.com" in page and "1 mail waits." in page
    assert "Restored from a backup" in client.get("/settings/").content.decode()
    assert web(filled.ben.user).post("/settings/restore/release/").status_code == 403
    client.post("/settings/restore/release/", {"act": "send"})
    assert run_due_jobs(limit=20, kind=SEND_JOB) == 1, "of this workspace only"
    assert [m.to for m in mail.outbox] == [["new@example.com"]]


def test_what_waits_can_be_discarded(restored, filled):
    client = web(filled.ada)
    client.post("/settings/restore/release/", {"act": "discard"})
    run_due_jobs(limit=20)
    assert mail.outbox == []
    with workspace_scope(filled.workspace.pk):
        assert OutboundEmail.objects.get().last_error == DISCARDED
        assert not WebhookDelivery.objects.filter(status="waiting").exists()
    assert Workspace.objects.get(slug="zorg").outside_held_since is not None


def test_a_full_database_is_not_overwritten(filled, tmp_path):
    call_command("backup", str(tmp_path / "all.zip"), json=True)
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", str(tmp_path / "all.zip"))


def test_a_damaged_or_foreign_file_changes_nothing(filled, tmp_path):
    path = tmp_path / "all.zip"
    call_command("backup", str(path), json=True)
    wipe()
    for name, content, words in (
        ("cut.zip", path.read_bytes()[:-200], "broken"),
        ("not.zip", b"hello", "no backup"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CommandError, match=words):
            call_command("restore", str(tmp_path / name))
    with zipfile.ZipFile(path, "a") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        manifest["columns"]["accounts_account"] = ["id"]
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(CommandError, match="another version"):
        call_command("restore", str(path))
    with pytest.raises(CommandError, match="no file"):
        call_command("restore", str(tmp_path / "missing.zip"))
    assert not Workspace.objects.exists() and not Job.objects.exists()


def test_a_failed_backup_leaves_the_older_one(filled, tmp_path, monkeypatch):
    path = tmp_path / "all.zip"
    path.write_bytes(b"older")
    monkeypatch.setattr("cs_platform.backups.writing._copy", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("backup", str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["all.zip"]
    assert path.read_bytes() == b"older"
