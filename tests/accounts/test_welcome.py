"""The checklist asks the facts; the home page shows it until it is done or put away by an owner."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, BillingConnection, Import, Invitation, Invoice, Membership, Role
from accounts.queries.welcome import checklist
from accounts.services.workspaces import create_workspace
from cs_platform.lib.scoping import workspace_scope
from health.models import Event, NightRun, RunStatus, Scorecard
from health.services.demo_imports import write_demo_imports
from health.services.scorecards import newest_published, publish
from tests.accounts.web import web
from tests.builders import NOW, TODAY, join, make_account, make_user
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def done(workspace: object) -> list[str]:
    with workspace_scope(workspace.pk):  # type: ignore[attr-defined]
        found = checklist(workspace, now=NOW, may=lambda permission: True)  # type: ignore[arg-type]
    return [seen.step.name for seen in found.steps if seen.facts.is_done]


def test_every_step_is_done_by_its_fact_alone() -> None:
    ada = make_user("Ada")
    workspace = create_workspace(slug="new", name="New", owner=ada, acting_user=None)
    assert done(workspace) == []
    with workspace_scope(workspace.pk):
        account = make_account()
    assert done(workspace) == ["accounts"]
    with workspace_scope(workspace.pk):
        connected = BillingConnection.objects.create(connected_at=NOW)
    assert done(workspace) == ["accounts", "billing"]
    with workspace_scope(workspace.pk):
        BillingConnection.objects.filter(pk=connected.pk).update(disconnected_at=NOW)
        Invoice.objects.create(
            account=account, external_id="in-1", amount_minor=1, currency="USD", status="open", due_at=NOW
        )
    assert done(workspace) == ["accounts", "billing"], "invoices of files and the API do as well"
    with workspace_scope(workspace.pk):
        Event.objects.create(occurred_at=NOW, message_hash=b"x" * 16, received_at=NOW, name="Signed In")
    assert done(workspace) == ["accounts", "billing", "events"]
    with workspace_scope(workspace.pk):
        Invitation.objects.create(email="b@example.com", role="csm", token_hash=b"t", expires_at=NOW)
    assert done(workspace) == ["accounts", "billing", "events"], "an invitation that is over invites nobody"
    join(workspace, "Ben", Role.CSM)
    with workspace_scope(workspace.pk):
        card = Scorecard.objects.get()
        definition = newest_published(card).definition  # type: ignore[union-attr]
        publish(card=card, definition=definition, note="", acting_user=ada, now=NOW)
        NightRun.objects.create(as_of=TODAY, status=RunStatus.STARTED)
    assert done(workspace) == ["accounts", "billing", "events", "people", "scorecard"]
    with workspace_scope(workspace.pk):
        NightRun.objects.update(status=RunStatus.DONE)
    assert len(done(workspace)) == 6
    assert b"First steps" not in web(ada).get("/").content
    with workspace_scope(workspace.pk):
        Account.objects.filter(pk=account.pk).delete()
    assert b"4 of 6 done" in web(ada).get("/").content


def test_only_an_owner_puts_it_away_and_back(cast: Cast) -> None:
    admin = join(cast.workspace, "Noor", Role.ADMIN)
    assert b"First steps" in web(admin.user).get("/").content
    assert web(admin.user).post("/welcome/dismissal/").status_code == 403
    for _ in range(2):
        assert web(cast.ada).post("/welcome/dismissal/").status_code == 302
    assert b"First steps" not in web(admin.user).get("/").content
    web(cast.ada).post("/welcome/dismissal/", {"back": "1"})
    assert b"First steps" in web(admin.user).get("/").content


def test_who_cannot_act_is_not_bothered(cast: Cast) -> None:
    for member in (cast.ben, cast.vera):
        assert b"First steps" not in web(member.user).get("/").content
        assert b"Nothing to set up for you" in web(member.user).get("/welcome/").content


def test_the_list_of_imports_costs_the_same_for_many_runs(cast: Cast) -> None:
    ada = web(cast.ada)

    def queries(count: int) -> int:
        with workspace_scope(cast.workspace.pk):
            Import.objects.bulk_create(
                [Import(kind="accounts", status="done", created_by=cast.ada) for _ in range(count)]
            )
        with CaptureQueriesContext(connection) as captured:
            assert ada.get("/settings/imports/").status_code == 200
        return len(captured)

    ada.get("/settings/imports/")
    assert queries(2) == queries(48) <= 25


def test_the_list_goes_on_on_the_next_page(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        Import.objects.bulk_create([Import(kind="accounts", file_name=f"f{n}.csv") for n in range(60)])
    ada, names = web(cast.ada), []
    page = ada.get("/settings/imports/")
    names += [item["run"].file_name for item in page.context["runs"]]
    page = ada.get(page.context["next_url"])
    names += [item["run"].file_name for item in page.context["runs"]]
    assert names == [f"f{n}.csv" for n in range(59, -1, -1)]
    assert page.context["next_url"] == ""
    assert ada.get("/settings/imports/?format=csv").content.decode("utf-8-sig").count("\r\n") == 61


def test_the_demo_has_a_finished_and_an_undone_import(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        for number in range(40):
            make_account(f"Customer {number}")
    for expected in (30, 0):
        assert write_demo_imports(cast.workspace, admin=cast.ada, now=timezone.now()) == expected
    with workspace_scope(cast.workspace.pk):
        found = dict(Import.objects.values_list("file_name", "status"))
        assert found == {"people-test.csv": "undone", "people-from-crm.csv": "done"}
        assert Import.objects.get(status="done").rows_rejected == 2
        assert Membership.objects.exists()
