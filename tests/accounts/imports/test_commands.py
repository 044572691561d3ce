"""The commands: plain for people, JSON for scripts, failures included."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.management.importing import _file_first
from accounts.models import Account, ApiKey, Import, User, Workspace
from accounts.services.workspaces import find_api_key
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import parse_credential


def answer(command: str, *args: str, **options: object) -> dict[str, Any]:
    out = StringIO()
    try:
        call_command(command, *args, json=True, stdout=out, stderr=StringIO(), **options)
    except SystemExit as stop:
        return {"exit": stop.code, **json.loads(out.getvalue())}
    return json.loads(out.getvalue())


@pytest.mark.django_db
def test_a_workspace_and_its_owner():
    found = answer(
        "create_workspace", "north", name="North", owner="Ada@Example.com", horizon_days=30, currency="eur"
    )
    workspace = Workspace.objects.get(slug="north")
    assert (workspace.horizon_days, workspace.report_currency) == (30, "EUR")
    assert User.objects.get(email="ada@example.com").check_password(found["password"])
    again = answer("create_workspace", "north", owner="ada@example.com")
    assert (again["exit"], again["code"]) == (1, "exists")
    second = answer("create_workspace", "south", owner="ada@example.com")
    assert second["password"] is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "options",
    [
        {"owner": "nobody"},
        {"owner": "a@example.com", "time_zone": "Mars/Olympus"},
        {"owner": "a@example.com", "horizon_days": 2},
        {"owner": "a@example.com", "currency": "dollars"},
    ],
)
def test_a_workspace_that_cannot_be(options):
    found = answer("create_workspace", "north", **options)
    assert found["exit"] == 1
    assert found["error"]
    assert not User.objects.exists()


def test_a_key_is_shown_once(cast):
    found = answer("create_api_key", workspace="acme", scope="write", name="intake")
    credential = parse_credential(found["key"])
    assert credential
    key = find_api_key(credential)
    assert key
    assert (key.scope, key.name) == ("write", "intake")
    with workspace_scope(cast.workspace.pk):
        assert ApiKey.objects.get().hint == found["key"].split(".")[1][:4]
    assert answer("create_api_key", workspace="nope", scope="read")["exit"] == 1


def test_an_import_and_its_undo(cast, tmp_path):
    path = tmp_path / "accounts.csv"
    path.write_text("customer,label,when\na,Alpha,16-10-2024\nb,Beta,nonsense\n")
    options = {"workspace": "acme", "map": ["customer=external_id", "label=name", "when=created_at"]}
    options |= {"date_format": "day-first", "errors": tmp_path / "errors.csv"}
    dry = answer("import_accounts", str(path), dry_run=True, **options)
    assert (dry["status"], dry["rows_created"], dry["import"]) == ("dry_run", 1, None)
    found = answer("import_accounts", str(path), **options, user="ada@example.com")
    assert {k: found[k] for k in found if k.startswith("rows_")} == {
        "rows_read": 2,
        "rows_created": 1,
        "rows_updated": 0,
        "rows_unchanged": 0,
        "rows_rejected": 1,
    }
    assert found["rejects"][0]["line"] == 3
    assert found["columns"]["label"] == "name"
    with (tmp_path / "errors.csv").open() as stream:
        assert [row["reason"] for row in csv.DictReader(stream)] == ["not_a_date"]
    with workspace_scope(cast.workspace.pk):
        assert Import.objects.get().created_by == cast.ada
    listed = answer("undo_import", workspace="acme")
    assert listed["imports"][0]["import"] == found["import"]
    undone = answer("undo_import", found["import"], workspace="acme")
    assert undone["removed"] == {"account": 1}
    refused = answer("undo_import", found["import"], workspace="acme")
    assert (refused["exit"], refused["code"]) == (1, "already_undone")
    assert answer("undo_import", found["import"], workspace="zorg")["code"] == "no_import"
    with workspace_scope(cast.workspace.pk):
        assert not Account.objects.exists()


@pytest.mark.usefixtures("cast")
def test_failures_have_a_code_and_a_sentence(tmp_path):
    missing = answer("import_accounts", str(tmp_path / "no.csv"), workspace="acme")
    assert (missing["exit"], missing["code"]) == (1, "not_found")
    (tmp_path / "a.csv").write_text("id\n1\n")
    wrong = answer("import_accounts", str(tmp_path / "a.csv"), workspace="acme", map=["id"])
    assert wrong["code"] == "bad_mapping"
    nobody = answer("import_accounts", str(tmp_path / "a.csv"), workspace="acme", user="x@example.com")
    assert nobody["code"] == "no_user"
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_accounts", str(tmp_path / "no.csv"), workspace="acme")


@pytest.mark.usefixtures("cast")
def test_people_read_lines(tmp_path):
    (tmp_path / "a.csv").write_text(
        "account_id,external_id,created_at,csm_email\n1,a,x,\n2,b,2024-01-01,q@example.com\n"
    )
    out, progress = StringIO(), StringIO()
    call_command("import_accounts", str(tmp_path / "a.csv"), workspace="acme", stdout=out, stderr=progress)
    text = out.getvalue()
    assert "2 rows: 1 created, 0 updated, 0 unchanged, 1 rejected" in text
    assert "line 2: “x” is not a date in the format iso" in text
    assert "q@example.com" in text
    assert "2 of 2 rows" in progress.getvalue()
    assert call_command("undo_import", workspace="acme", stdout=out) is None


def test_a_file_after_the_mappings_is_still_the_file():
    argv = ["manage.py", "import_accounts", "--map", "a=b", "c=d", "file.csv", "--workspace", "x"]
    assert _file_first(argv) == [
        "manage.py",
        "import_accounts",
        "file.csv",
        "--map",
        "a=b",
        "c=d",
        "--workspace",
        "x",
    ]
