"""An upload's way through the web: columns, check, import, undo, with every step killed, doubled or stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Import, ImportChange, ImportUpload, Job, StoredFileChunk
from accounts.services.import_uploads import forget_uploads
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)

CSV = "Customer ID,Company,Signed Up,churn_flag,Seats\na,Alder,03/04/2025,no,5\nb,Birch,25/04/2025,yes,7\n,,,,\nc,Cedar,31/31/2025,no,x\n"


def upload(client: Client, text: str | bytes, kind: str = "accounts", name: str = "crm.csv") -> Any:
    content = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile(name, content, "text/csv")
    return client.post("/settings/imports/new/", {"kind": kind, "file": file})


def columns(*targets: str, **more: str) -> dict[str, str]:
    return {f"column-{n}": target for n, target in enumerate(targets)} | {"date_format": "day-first", **more}


MAPPED = columns("external_id", "name", "created_at", "-", "")


def state(cast: Cast) -> Any:
    with workspace_scope(cast.workspace.pk):
        return ImportUpload.objects.select_related("source_import").latest("pk")


def names(cast: Cast) -> list[str]:
    with workspace_scope(cast.workspace.pk):
        return list(Account.objects.order_by("name").values_list("name", flat=True))


@pytest.fixture
def ada(cast: Cast) -> Client:
    return web(cast.ada)


@pytest.fixture
def checked(ada: Client, cast: Cast) -> str:
    """The address of a checked file."""
    page = upload(ada, CSV)["Location"]
    ada.post(page, MAPPED)
    run_due_jobs(limit=5)
    return page.removesuffix("columns/")


def test_the_mapping_is_guessed_with_reasons_and_examples(ada: Client) -> None:
    html = ada.get(upload(ada, CSV)["Location"]).content.decode()
    for field in ("external_id", "name", "created_at"):
        assert f'<option value="{field}" selected>' in html
    assert "guessed from its name" in html
    assert "Its name says how it ended" in html
    assert "“03/04/2025” is read as April 3, 2025" in html


def test_from_upload_to_undo(ada: Client, cast: Cast, checked: str) -> None:
    html = ada.get(checked).content.decode()
    assert "Import 2 rows" in html and "“31/31/2025” is not a date" in html
    assert names(cast) == []
    assert ada.post(f"{checked}import/").status_code == 302
    run_due_jobs(limit=5)
    assert names(cast) == ["Alder", "Birch"]
    bell = ada.get("/notifications/").content.decode()
    assert "Import is done" in bell and "2 new" in bell
    run = ada.get(checked)["Location"]
    assert "Refused rows" in ada.get(run).content.decode()
    preview = ada.get(f"{run}undo/").content.decode()
    assert "2 removed" in preview
    assert names(cast) == ["Alder", "Birch"]
    ada.post(f"{run}undo/")
    run_due_jobs(limit=5, kind="accounts.import_undo")
    assert names(cast) == []
    assert "Undone" in ada.get(run).content.decode()


def test_the_error_file_has_the_rows_and_no_formula(ada: Client, cast: Cast) -> None:
    page = upload(ada, "id,name,created\n=1+1,=cmd(),never\n2,Fine,2025-01-01\n")["Location"]
    ada.post(page, columns("external_id", "name", "created_at", date_format="iso"))
    run_due_jobs(limit=5)
    answer = ada.get(page.replace("columns", "errors"))
    assert answer.content.decode("utf-8-sig").splitlines()[1].startswith("'=1+1,'=cmd(),never,2,")
    assert "crm-refused.csv" in answer["Content-Disposition"]


def test_a_dry_run_writes_nothing(ada: Client, cast: Cast, checked: str) -> None:
    with workspace_scope(cast.workspace.pk):
        assert Account.objects.count() == Import.objects.count() == ImportChange.objects.count() == 0
    assert state(cast).result["rows_created"] == 2


def test_a_second_click_imports_once(ada: Client, cast: Cast, checked: str) -> None:
    for _ in range(2):
        ada.post(f"{checked}import/")
    run_due_jobs(limit=5)
    ada.post(f"{checked}import/")
    run_due_jobs(limit=5)
    with workspace_scope(cast.workspace.pk):
        assert Import.objects.count() == 1


def test_the_mapping_is_remembered_for_the_next_file_with_these_columns(ada: Client, checked: str) -> None:
    page = upload(ada, CSV.replace("Alder", "Aspen"))["Location"]
    html = ada.get(page).content.decode()
    assert "was mapped before" in html
    assert '<option value="-" selected>' in html


def test_the_same_file_again_is_said_so(ada: Client, checked: str) -> None:
    ada.post(f"{checked}import/")
    run_due_jobs(limit=5)
    page = upload(ada, CSV)["Location"]
    assert "was imported already" in ada.get(page).content.decode()
    ada.post(page, MAPPED)
    run_due_jobs(limit=5)
    assert "importing would change nothing" in ada.get(page.removesuffix("columns/")).content.decode()


def test_stopping_a_check_brings_back_the_columns(ada: Client, cast: Cast) -> None:
    page = upload(ada, CSV)["Location"]
    ada.post(page, MAPPED)
    ada.post(page.replace("columns", "cancel"))
    run_due_jobs(limit=5)
    assert state(cast).state == ImportUpload.State.MAPPING


def test_stopping_before_the_first_chunk_imports_nothing(ada: Client, cast: Cast, checked: str) -> None:
    ada.post(f"{checked}import/")
    ada.post(f"{checked}cancel/")
    run_due_jobs(limit=5)
    assert names(cast) == []
    assert state(cast).state == ImportUpload.State.CHECKED


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\n\n\n", "The file is empty"),
        (b"name,name\na,b\n", "The column “name” is there twice"),
        (b"name\n", "has a header but no rows"),
        (b",,\n1,2,3\n", "The file is empty"),
        (b'name,x\n"open,1\n', "A quotation mark may not be closed"),
        (b"x" * 9_000_000, "has more than 8,000,000 characters"),
    ],
)
def test_what_is_no_table_gets_clear_words(ada: Client, cast: Cast, content: bytes, words: str) -> None:
    answer = upload(ada, content)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with workspace_scope(cast.workspace.pk):
        assert not StoredFileChunk.objects.exists()


def test_a_spreadsheet_is_no_text(ada: Client) -> None:
    assert "save it as “CSV UTF-8”" in upload(ada, b"PK\x03\x04", name="book.xlsx").content.decode()


def test_a_required_field_and_two_columns_for_one(ada: Client) -> None:
    page = upload(ada, "who,what,when\na,b,c\n", kind="events")["Location"]
    html = ada.post(page, columns("account", "account", "")).content.decode()
    assert "No column feeds Event, Happened at yet" in html
    assert "Two columns feed “Account”: who, what" in html


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("이름,도메인\n한빛소프트,hanbit.example\n", "cp949", "한빛소프트"),
        ("name;town\nMüller;Köln\n", "cp1252", "Müller"),
        ("name\ttown\nŁódź\tx\n", "utf-16", "Łódź"),
    ],
)
def test_other_encodings_and_separators_are_found(
    ada: Client, cast: Cast, text: str, encoding: str, expected: str
) -> None:
    page = upload(ada, text.encode(encoding))["Location"]
    assert expected in ada.get(page).content.decode()
    ada.post(page, columns("name", "", date_format="iso"))
    run_due_jobs(limit=5)
    ada.post(page.replace("columns", "import"))
    run_due_jobs(limit=5)
    assert names(cast) == [expected]


def test_a_wrong_encoding_can_be_chosen_anew(ada: Client, cast: Cast) -> None:
    page = upload(ada, "name;town\nMüller;Köln\n".encode("cp1252"))["Location"]
    ada.post(page.replace("columns", "reading"), {"encoding": "utf-8", "delimiter": ";"})
    assert state(cast).options["encoding"] == "cp1252"
    ada.post(page.replace("columns", "reading"), {"encoding": "cp1252", "delimiter": ","})
    assert state(cast).columns == ["name;town"]


def test_when_every_row_is_refused_nothing_is_offered(ada: Client, cast: Cast) -> None:
    page = upload(ada, "id,name,created\n1,A,never\n2,B,soon\n")["Location"]
    ada.post(page, columns("external_id", "name", "created_at", date_format="iso"))
    run_due_jobs(limit=5)
    html = ada.get(page).content.decode()
    assert "Every row was refused" in html and "2 rows:" in html
    assert ada.post(page.replace("columns", "import"))["Location"].endswith("/")
    run_due_jobs(limit=5)
    with workspace_scope(cast.workspace.pk):
        assert not Import.objects.exists()


def test_only_those_who_may_import_see_any_of_it(cast: Cast, checked: str) -> None:
    assert web(cast.ben.user).get("/settings/imports/").status_code == 403
    assert web(cast.zoe).get(checked).status_code == 404


def test_a_job_that_was_given_up_can_be_tried_again(ada: Client, cast: Cast, checked: str) -> None:
    ada.post(f"{checked}import/")
    Job.objects.filter(kind="accounts.import_run").update(parked_at=timezone.now())
    assert "Try again" in ada.get(checked).content.decode()
    ada.post(f"{checked}retry/")
    run_due_jobs(limit=5)
    assert names(cast) == ["Alder", "Birch"]


def test_old_uploads_are_forgotten_and_their_imports_stay(ada: Client, cast: Cast, checked: str) -> None:
    ada.post(f"{checked}import/")
    run_due_jobs(limit=5)
    upload(ada, CSV)
    with workspace_scope(cast.workspace.pk):
        assert forget_uploads(timezone.now() + timedelta(minutes=1), 100) == 2
        assert forget_uploads(timezone.now() + timedelta(minutes=1), 100) == 0
        kept = ImportUpload.objects.get()
        assert (kept.samples, kept.preview, Import.objects.count()) == ({}, {}, 1)
