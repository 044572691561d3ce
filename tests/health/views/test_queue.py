"""The queue in the browser's words: pages, acts, undo, without JavaScript and with htmx."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership, Workspace
from cs_platform.lib.scoping import workspace_scope
from health.models import ActionReceipt, QueueEntry, Resolution, Snooze
from tests.builders import TODAY, queued
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine_at_now: None) -> None:
    """All rows of the builders are relative to one moment."""


@pytest.fixture
def ben_web(cast: Cast) -> Client:
    return web(cast.ben)


def web(membership: Membership) -> Client:
    client = Client()
    client.force_login(membership.user)
    return client


def fill(workspace: Workspace, csm: Membership, count: int = 3) -> list[Account]:
    with workspace_scope(workspace.pk):
        return [
            queued(f"Account {number}", csm=csm, expected_loss_minor=100_00 * (count - number))
            for number in range(count)
        ]


def ids(*accounts: Account) -> list[str]:
    return [str(account.public_id) for account in accounts]


def test_the_page_says_why_and_how_much(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        queued("Northwind", csm=cast.ben)
    page = ben_web.get("/queue/").content.decode()
    assert "Northwind" in page
    assert "62.0% × $48.0k × 1.40" in page
    assert "Gone quiet" in page
    assert "Nobody has used the product for 19 days." in page
    assert "stands in for the probability" in page


def test_an_empty_queue_says_what_next(ben_web: Client) -> None:
    assert "Nothing waits for you" in ben_web.get("/queue/").content.decode()
    assert "No account matches" in ben_web.get("/queue/?q=zzz").content.decode()
    assert "The queue is empty" in ben_web.get("/queue/?csm=all").content.decode()


def test_snooze_without_javascript_then_undo(cast: Cast, ben_web: Client) -> None:
    first, second, _third = fill(cast.workspace, cast.ben)
    asked = ben_web.get("/queue/snoozes/new/", {"account": ids(first, second), "next": "/queue/?band=red"})
    assert "Snooze 2 accounts" in asked.content.decode()
    until = (TODAY + timedelta(days=14)).isoformat()
    done = ben_web.post(
        "/queue/snoozes/", {"account": ids(first, second), "until": until, "next": "/queue/?band=red"}
    )
    assert done["Location"] == "/queue/?band=red"
    page = ben_web.get("/queue/").content.decode()
    assert "2 accounts snoozed until" in page
    assert "data-undo" in page
    assert "Account 0" not in page.split("toasts")[0]
    with workspace_scope(cast.workspace.pk):
        assert Snooze.objects.filter(ended_at__isnull=True).count() == 2
        receipt = ActionReceipt.objects.get()
    assert ben_web.post(f"/queue/undo/{receipt.public_id}/").status_code == 302
    assert "Account 0" in ben_web.get("/queue/").content.decode()
    ben_web.post(f"/queue/undo/{receipt.public_id}/")
    assert "undone before" in ben_web.get("/queue/").content.decode()


def test_resolve_with_htmx_answers_the_list(cast: Cast, ben_web: Client) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    data = {"account": ids(first), "result": "helped", "note": "Called", "next": "/queue/?band=red"}
    answer = ben_web.post("/queue/resolutions/", data, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert answer["HX-Trigger"] == "overlay-close"
    assert "row-" + str(first.public_id) not in page
    assert "Account 0 resolved: Helped." in page
    assert "<strong>2 accounts</strong>" in page
    assert "band=red" in page
    with workspace_scope(cast.workspace.pk):
        assert Resolution.objects.get().note == "Called"


def test_an_invalid_form_comes_back_into_the_dialog(cast: Cast, ben_web: Client) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    data = {"account": ids(first), "until": "", "other_day": TODAY.isoformat(), "next": "/queue/"}
    answer = ben_web.post("/queue/snoozes/", data, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#dialog-content"
    assert "Choose a day after today" in answer.content.decode()
    with workspace_scope(cast.workspace.pk):
        assert not Snooze.objects.exists()


def test_assign_moves_the_row_to_the_other_csm(cast: Cast, ben_web: Client) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    with workspace_scope(cast.workspace.pk):
        ada = Membership.objects.get(user=cast.ada)
    ben_web.post("/queue/assignments/", {"account": ids(first), "csm": str(ada.public_id), "next": "/queue/"})
    with workspace_scope(cast.workspace.pk):
        assert QueueEntry.objects.get(account=first).csm_id == ada.pk
    ben_web.post("/queue/assignments/", {"account": ids(first), "csm": "", "next": "/queue/"})
    with workspace_scope(cast.workspace.pk):
        assert Account.objects.get(pk=first.pk).csm_id is None


@pytest.mark.parametrize("path", ["snoozes", "resolutions", "assignments"])
def test_foreign_missing_and_no_accounts_look_alike(cast: Cast, ben_web: Client, path: str) -> None:
    with workspace_scope(cast.other.pk):
        foreign = queued("Foreign")
    data = {"until": (TODAY + timedelta(days=1)).isoformat(), "result": "helped"}
    for account in (ids(foreign), ["not-an-id"], []):
        assert ben_web.post(f"/queue/{path}/", {**data, "account": account}).status_code == 404
        assert ben_web.get(f"/queue/{path}/new/", {"account": account}).status_code == 404


def test_a_viewer_reads_but_does_not_act(cast: Cast) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    vera = web(cast.vera)
    page = vera.get("/queue/").content.decode()
    assert "Account 0" in page
    assert "data-check-all" not in page
    assert vera.post("/queue/resolutions/", {"account": ids(first), "result": "lost"}).status_code == 403


def test_a_form_of_another_workspace_is_refused(cast: Cast, ben_web: Client) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    data = {"account": ids(first), "result": "helped", "workspace": str(cast.other.public_id)}
    assert ben_web.post("/queue/resolutions/", data).status_code == 409


def test_never_leads_to_another_site(cast: Cast, ben_web: Client) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    data = {"account": ids(first), "result": "helped", "next": "https://evil.example/queue/"}
    assert ben_web.post("/queue/resolutions/", data)["Location"] == "/queue/"


def test_the_drawer_has_reasons_numbers_and_advice(cast: Cast, ben_web: Client) -> None:
    first, *_ = fill(cast.workspace, cast.ben)
    for headers in ({"HX-Request": "true"}, {}):
        page = ben_web.get(f"/queue/{first.public_id}/?next=/queue/", headers=headers).content.decode()
        assert "Nobody has used the product for 19 days." in page
        assert "Call, do not mail." in page
        assert "Built on 85% of its weight." in page
        assert ("<html" in page) == (headers == {})


def test_csv_is_quoted_against_formulas(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        queued("=HYPERLINK(1)", csm=cast.ben)
    text = ben_web.get("/queue/export.csv").content.decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    assert text.splitlines()[0].startswith("Account id,Account,Plan")


def test_queries_do_not_grow_with_rows(cast: Cast, ben_web: Client) -> None:
    fill(cast.workspace, cast.ben, 10)
    ben_web.get("/queue/")
    with CaptureQueriesContext(connection) as few:
        ben_web.get("/queue/")
    with workspace_scope(cast.workspace.pk):
        for number in range(10, 60):
            queued(f"Account {number}", csm=cast.ben, causes=("gone_quiet", "usage_dropped"))
    with CaptureQueriesContext(connection) as many:
        ben_web.get("/queue/")
    assert len(many) == len(few) <= 30


def test_saved_views_keep_filters_and_can_be_shared(cast: Cast, ben_web: Client) -> None:
    form = {"page": "queue", "name": "Red ones", "next": "/queue/?band=red&after=x", "is_shared": "on"}
    assert ben_web.post("/saved-views/", form)["Location"] == "/queue/?band=red"
    page = web(cast.vera).get("/queue/?band=red").content.decode()
    assert "Red ones" in page
    assert "Delete “Red ones”" not in page
    assert "Delete “Red ones”" in ben_web.get("/queue/").content.decode()


def test_names_that_are_markup_are_only_shown(cast: Cast, ben_web: Client) -> None:
    hostile = '<script>alert("x")</script>'
    with workspace_scope(cast.workspace.pk):
        queued(hostile, csm=cast.ben, plan=hostile, industry="R&D")
    for address in ("/queue/", "/accounts/", "/"):
        page = ben_web.get(address).content.decode()
        assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert "· R&amp;D" in page
