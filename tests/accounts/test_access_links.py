"""Links for strangers: every failure looks the same, and looking changes nothing."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils import timezone

from accounts.models import AccessLink
from accounts.registry import TokenPurpose, token_purposes
from accounts.services.access_links import create_link, revoke, use_up
from cs_platform.lib.scoping import workspace_scope
from tests.builders import make_account, make_contact

for name in ("test_survey", "test_other"):
    if name not in token_purposes:
        token_purposes.register(TokenPurpose(name, timedelta(days=7)))

from accounts.views.public import public_page  # noqa: E402 - the purposes must be registered before


@public_page("test_survey")
def answer(request):
    if request.method == "POST":
        use_up(link=request.link, now=timezone.now())
    return HttpResponse(f"hello {request.link.contact.name}")


urlpatterns = [path("t/<str:token>/", answer)]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_urls")]


@pytest.fixture
def own_urls():
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def made(cast):
    with workspace_scope(cast.workspace.pk):
        contact = make_contact(make_account(), "Mina Park")
        return create_link(purpose="test_survey", contact=contact, object_id=None, now=timezone.now())


def test_a_valid_link_opens_for_its_person_and_says_nothing_to_caches(client, made):
    response = client.get(f"/t/{made[1]}/")
    assert response.content == b"hello Mina Park"
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]


def test_looking_fifty_times_uses_nothing_up_and_a_post_does_once(client, cast, made):
    for _ in range(50):
        client.get(f"/t/{made[1]}/")
    assert client.post(f"/t/{made[1]}/").status_code == 200
    assert client.post(f"/t/{made[1]}/").status_code == 404


def test_only_a_hash_is_stored(cast, made):
    link, credential = made
    assert credential.secret.encode() not in bytes(link.token_hash)


def test_every_flipped_bit_of_the_secret_is_refused(client, made):
    head, secret = str(made[1]).split(".")
    for at, letter in enumerate(secret):
        other = chr(ord(letter) ^ 1) if chr(ord(letter) ^ 1).isalnum() else "x" if letter != "x" else "y"
        assert client.get(f"/t/{head}.{secret[:at]}{other}{secret[at + 1 :]}/").status_code == 404


def seen(response):
    """Status and page, without the form token that differs on every rendering."""
    return response.status_code, re.sub(rb'content="[A-Za-z0-9]{64}"', b"", response.content)


def test_all_failures_look_alike(client, cast, made):
    link, credential = made
    other_hex = cast.other.public_id.hex
    with workspace_scope(cast.workspace.pk):
        other_purpose = create_link(purpose="test_other", contact=None, object_id=None, now=timezone.now())[1]
        expired = create_link(
            purpose="test_survey",
            contact=link.contact,
            object_id=None,
            now=timezone.now() - timedelta(days=8),
        )[1]
        revoked_link, revoked = create_link(
            purpose="test_survey", contact=link.contact, object_id=None, now=timezone.now()
        )
        revoke(link=revoked_link, now=timezone.now())
    tokens = [
        str(other_purpose),
        str(expired),
        str(revoked),
        f"{other_hex}.{credential.secret}",
        f"{'0' * 32}.{credential.secret}",
        "nonsense",
        f"read_{credential}",
    ]
    answers = {seen(client.get(f"/t/{token}/")) for token in tokens}
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    with workspace_scope(cast.workspace.pk):
        assert not AccessLink.objects.filter(used_at__isnull=False).exists()
