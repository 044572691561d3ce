"""The frame around pages: sections where one belongs to a workspace, none where one does not."""

import pytest
from django.test import Client

from cs_platform.lib.scoping import workspace_scope
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def page(client: Client, path: str, **headers: str) -> str:
    return client.get(path, headers=headers).content.decode()


@pytest.mark.parametrize("path", ["/queue/", "/password/change/", "/2fa/", "/email/"])
def test_sections_and_workspace_are_around_every_page(cast: Cast, client: Client, path: str) -> None:
    client.force_login(cast.ben.user)
    shown = page(client, path)

    assert 'href="/queue/"' in shown
    assert cast.workspace.name in shown


def test_sign_in_shows_no_section(db: None, client: Client) -> None:
    assert 'href="/queue/"' not in page(client, "/login/")


def test_somebody_without_a_workspace_is_told_what_to_do(cast: Cast, client: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        cast.ben.is_active = False
        cast.ben.save()
    client.force_login(cast.ben.user)
    answer = client.get("/queue/")

    assert answer.status_code == 403
    assert "No workspace yet" in answer.content.decode()


def test_theme_comes_with_the_first_paint(cast: Cast, client: Client) -> None:
    client.force_login(cast.ben.user)
    assert "data-theme=" not in page(client, "/queue/")
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in page(client, "/queue/")
    client.cookies["theme"] = '"><script>'
    assert "data-theme=" not in page(client, "/queue/")


def test_form_left_open_in_another_workspace_is_refused(cast: Cast, client: Client) -> None:
    client.force_login(cast.ben.user)
    refused = client.post("/queue/assignments/", {"workspace": str(cast.other.public_id)})

    assert refused.status_code == 409
    assert "Nothing was saved" in refused.content.decode()


def test_pages_speak_the_reader_s_language(cast: Cast, client: Client) -> None:
    client.force_login(cast.ben.user)
    client.cookies["django_language"] = "ko"
    shown = page(client, "/queue/")

    assert 'lang="ko"' in shown
    assert "대기열" in shown
