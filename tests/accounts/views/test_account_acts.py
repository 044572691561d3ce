"""Notes, touches and letting go: each with its undo, each without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Account, Activity, AuditEntry, LetGo, Note
from cs_platform.lib.scoping import workspace_scope
from health.models import QueueEntry
from tests.builders import TODAY, make_contact, queued
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]


@pytest.fixture
def ben_web(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.ben.user)
    return client


@pytest.fixture
def account(cast: Cast) -> Account:
    with workspace_scope(cast.workspace.pk):
        return queued("Northwind", csm=cast.ben)


def page_of(account: Account) -> str:
    return f"/accounts/{account.public_id}/"


def test_a_note_is_written_changed_deleted_and_brought_back(
    cast: Cast, ben_web: Client, account: Account
) -> None:
    assert "Write a note" in ben_web.get(page_of(account) + "notes/").content.decode()
    assert ben_web.post(page_of(account) + "notes/", {"body": "Buyer on leave", "is_pinned": "on"})[
        "Location"
    ] == page_of(account)
    with workspace_scope(cast.workspace.pk):
        note = Note.objects.get()
    page = ben_web.get(page_of(account)).content.decode()
    assert page.count("Buyer on leave") == 2
    assert f"/notes/{note.public_id}/deletions/" in page
    ben_web.post(f"/notes/{note.public_id}/", {"body": "Buyer is back"})
    assert "Buyer is back" in ben_web.get(page_of(account)).content.decode()
    ben_web.post(f"/notes/{note.public_id}/deletions/")
    assert "Buyer is back" not in ben_web.get(page_of(account)).content.decode()
    ben_web.post(f"/notes/{note.public_id}/restorations/")
    assert "Buyer is back" in ben_web.get(page_of(account)).content.decode()
    with workspace_scope(cast.workspace.pk):
        entries = AuditEntry.objects.filter(action__startswith="accounts.note.")
        assert [entry.action.rpartition(".")[2] for entry in entries.order_by("pk")] == [
            "added",
            "edited",
            "deleted",
            "restored",
        ]
        assert "Buyer" not in str([entry.data for entry in entries])


def test_an_empty_note_says_what_is_missing(ben_web: Client, account: Account) -> None:
    answer = ben_web.post(page_of(account) + "notes/", {"body": " "}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()


def test_a_call_is_logged_as_a_touch_and_taken_back(cast: Cast, ben_web: Client, account: Account) -> None:
    with workspace_scope(cast.workspace.pk):
        contact = make_contact(account, "Mina Park")
    yesterday = TODAY - timedelta(days=1)
    form = {
        "kind": "call",
        "occurred_on": yesterday.isoformat(),
        "contact": str(contact.public_id),
        "body": "Will renew",
    }
    ben_web.post(page_of(account) + "touches/", form)
    with workspace_scope(cast.workspace.pk):
        activity = Activity.objects.get()
        assert activity.is_touch
        assert activity.occurred_at.date() == yesterday
    assert "Call with Mina Park" in ben_web.get(page_of(account)).content.decode()
    ben_web.post(f"/touches/{activity.public_id}/deletions/")
    assert "Call with Mina Park" not in ben_web.get(page_of(account)).content.decode()


def test_only_the_author_takes_a_touch_back(cast: Cast, ben_web: Client, account: Account) -> None:
    ben_web.post(page_of(account) + "touches/", {"kind": "call", "occurred_on": TODAY.isoformat()})
    with workspace_scope(cast.workspace.pk):
        activity = Activity.objects.get()
    ada = Client()
    ada.force_login(cast.ada)
    assert ada.post(f"/touches/{activity.public_id}/deletions/").status_code == 404


def test_letting_go_takes_the_account_off_the_queue_until_taken_back(
    cast: Cast, ben_web: Client, account: Account
) -> None:
    assert "Northwind" in ben_web.get("/queue/").content.decode()
    ben_web.post(page_of(account) + "let-go/", {"note": "Too small for us"})
    page = ben_web.get(page_of(account)).content.decode()
    assert "Too small for us" in page
    assert "Let go." in page
    assert "row-link" not in ben_web.get("/queue/").content.decode()
    assert "Northwind" in ben_web.get("/accounts/?status=let_go").content.decode()
    ben_web.post(page_of(account) + "let-go/withdrawals/")
    assert "Northwind" in ben_web.get("/queue/").content.decode()
    with workspace_scope(cast.workspace.pk):
        assert LetGo.objects.get().withdrawn_at is not None
        assert QueueEntry.objects.count() == 1


def test_a_viewer_cannot_write(cast: Cast, account: Account) -> None:
    vera = Client()
    vera.force_login(cast.vera.user)
    for path in ("notes/", "touches/", "let-go/"):
        assert vera.get(page_of(account) + path).status_code == 403
        assert vera.post(page_of(account) + path, {"body": "x", "note": "x"}).status_code == 403
    assert "Write a note" not in vera.get(page_of(account)).content.decode()
