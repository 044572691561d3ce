"""From an empty installation to the first owner: once, and only with the server's code."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Role, SetupCode, User, Workspace
from accounts.services import first_run
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import PASSWORD, make_user
from tests.conftest import Cast

FORM = {
    "name": "Ada",
    "email": "ada@example.com",
    "password": PASSWORD,
    "workspace_name": "Nordwind Söftware",
    "time_zone": "Europe/Berlin",
    "currency": "eur",
    "language": "en",
}


def code() -> str:
    return first_run.new_setup_code(now=timezone.now())


@pytest.mark.django_db
def test_an_empty_installation_leads_to_the_set_up_page() -> None:
    response = Client().get("/", follow=True)
    assert response.request["PATH_INFO"] == "/setup/"
    assert b"manage.py setup_link" in response.content


@pytest.mark.django_db
def test_the_first_owner_gets_in_with_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup_link")
    link = capsys.readouterr().out.split()[1].removeprefix("http://testserver")
    client = Client()
    assert client.get(link).status_code == 200
    response = client.post(link, FORM)
    assert (response.status_code, response["Location"]) == (302, "/welcome/")
    workspace = Workspace.objects.get()
    assert (workspace.slug, workspace.report_currency) == ("nordwind-software", "EUR")
    with workspace_scope(workspace.pk):
        assert Membership.objects.get().role == Role.OWNER
    assert b"Welcome to Nordwind" in client.get("/welcome/").content
    assert not SetupCode.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["x", "x" * 43, "%00", "-" * 2000])
def test_without_the_code_nobody_gets_in(wrong: str) -> None:
    code()
    for path in (f"/setup/{wrong}/", "/setup/"):
        Client().post(path, FORM | {"code": wrong})
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_code_of_yesterday_is_worth_nothing() -> None:
    old = code()
    SetupCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Client().post(f"/setup/{old}/", FORM)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_it_is_closed_once_there_is_a_user() -> None:
    valid = code()
    make_user("Somebody")
    client = Client()
    assert client.get("/setup/")["Location"] == "/login/"
    assert client.get(f"/setup/{valid}/")["Location"] == "/setup/"
    client.post(f"/setup/{valid}/", FORM)
    assert User.objects.count() == 1
    with pytest.raises(first_run.SetupClosed):
        first_run.new_setup_code(now=timezone.now())
    with pytest.raises(CommandError, match="users already"):
        call_command("setup_link")
    call_command("setup_link", "--if-fresh")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_wins() -> None:
    codes = [code() for _ in range(8)]
    start, won = threading.Barrier(8), []

    def attempt(number: int) -> None:
        start.wait()
        try:
            first_run.set_up(
                code=codes[number],
                email=f"p{number}@example.com",
                name="P",
                password=PASSWORD,
                language="en",
                workspace_name="W",
                slug=f"w{number}",
                time_zone="UTC",
                currency="USD",
                now=timezone.now(),
            )
            won.append(number)
        except first_run.SetupClosed:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert User.objects.count() == Workspace.objects.count() == 1


@pytest.mark.django_db
def test_wrong_input_keeps_what_was_typed() -> None:
    response = Client().post(f"/setup/{code()}/", FORM | {"password": "short", "currency": "EURO"})
    assert response.status_code == 422
    assert b"ada@example.com" in response.content
    assert not User.objects.exists()


def test_another_workspace_by_the_installations_setting(cast: Cast, settings: object) -> None:
    form = {k: FORM[k] for k in ("workspace_name", "time_zone", "currency", "language")}
    assert web(cast.ben.user).post("/workspaces/new/", form).status_code == 403
    ada = web(cast.ada)
    assert ada.post("/workspaces/new/", form)["Location"] == "/welcome/"
    assert ada.post("/workspaces/new/", form)["Location"] == "/welcome/"
    assert {"nordwind-software", "nordwind-software-2"} <= set(
        Workspace.objects.values_list("slug", flat=True)
    )
    settings.NEW_WORKSPACES = "nobody"  # type: ignore[attr-defined]
    assert ada.get("/workspaces/new/").status_code == 403
    settings.NEW_WORKSPACES = "anyone"  # type: ignore[attr-defined]
    assert web(cast.vera.user).get("/workspaces/new/").status_code == 200
