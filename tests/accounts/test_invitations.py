"""Coming in by mail: once, for one address, for a limited time."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, OutboundEmail, Role, User
from accounts.services.jobs import run_due_jobs
from accounts.services.mail import SEND_JOB
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import PASSWORD, join, make_user
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
JOINING = {"name": "Nina", "password": "a-long-and-new-password", "language": "ko"}


def invite(cast: Cast, email: str = "nina@example.com", role: str = "csm") -> str:
    """Through the page; returns the path in the mail."""
    web(cast.ada).post("/settings/members/", {"email": email, "role": role})
    run_due_jobs(limit=5, kind=SEND_JOB)
    found = re.search(r"https?://[^/]+(/invitations/\S+/)", str(outbox.outbox[-1].body))
    assert found
    return found[1]


def members(cast: Cast) -> dict[str, tuple[str, bool]]:
    with workspace_scope(cast.workspace.pk):
        rows = Membership.objects.values_list("user__email", "role", "is_active")
        return {email: (role, active) for email, role, active in rows}


def test_the_mail_is_a_row_first_and_sent_once(cast: Cast) -> None:
    web(cast.ada).post("/settings/members/", {"email": " Nina@Example.com ", "role": "csm"})
    with workspace_scope(cast.workspace.pk):
        assert OutboundEmail.objects.get().status == "queued"
    assert run_due_jobs(limit=5, kind=SEND_JOB) == 1
    assert run_due_jobs(limit=5, kind=SEND_JOB) == 0
    assert [message.to for message in outbox.outbox] == [["nina@example.com"]]
    with workspace_scope(cast.workspace.pk):
        sent = OutboundEmail.objects.get()
        assert (sent.status, sent.context) == ("sent", {}), "the link may stay nowhere but in the mail"
        stored = bytes(Invitation.objects.get().token_hash)
    assert len(stored) == 32


def test_a_new_user_joins_and_is_signed_in(cast: Cast) -> None:
    path, client = invite(cast), Client()
    page = client.get(path)
    assert "Join Acme" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"
    answer = client.post(path, JOINING)
    assert answer.status_code == 302
    assert members(cast)["nina@example.com"] == (Role.CSM, True)
    assert client.get("/queue/").status_code == 200
    user = User.objects.get(email="nina@example.com")
    assert (user.name, user.language) == ("Nina", "ko")
    assert user.check_password(JOINING["password"])


def test_looking_joins_nobody(cast: Cast) -> None:
    path = invite(cast)
    for _ in range(3):
        Client().get(path)
    assert "nina@example.com" not in members(cast)


@pytest.mark.parametrize("password", ["short", "nina@example.com"])
def test_a_weak_password_is_refused_and_the_rest_kept(cast: Cast, password: str) -> None:
    path = invite(cast)
    answer = Client().post(path, {**JOINING, "password": password})
    assert (answer.status_code, 'value="Nina"' in answer.content.decode()) == (422, True)
    assert not User.objects.filter(email="nina@example.com").exists()


def test_a_known_user_signs_in_and_comes_back(cast: Cast) -> None:
    make_user("Nina")
    path, client = invite(cast), Client()
    page = client.get(path).content.decode()
    assert f"?next={path}" in page
    assert client.post(path, JOINING).status_code == 200, "nobody chooses a password for a known user"
    assert "nina@example.com" not in members(cast)
    answer = client.post(f"/login/?next={path}", {"login": "nina@example.com", "password": PASSWORD})
    assert answer["Location"] == path
    assert client.post(path).status_code == 302
    assert members(cast)["nina@example.com"] == (Role.CSM, True)


def test_another_user_cannot_take_it(cast: Cast) -> None:
    path = invite(cast)
    zoe = web(cast.zoe)
    assert "for another address" in zoe.post(path).content.decode()
    assert "zoe@example.com" not in members(cast)
    assert Client().post(path, JOINING).status_code == 302, "it is still open for its own"


def test_expired_withdrawn_used_and_unknown_look_alike(cast: Cast) -> None:
    used, withdrawn, late = (invite(cast, f"n{n}@example.com") for n in range(3))
    Client().post(used, JOINING)
    with workspace_scope(cast.workspace.pk):
        row = Invitation.objects.get(email="n1@example.com")
    web(cast.ada).post(f"/settings/invitations/{row.public_id}/revocation/")
    unknown = f"{withdrawn[:-4]}abc/"
    elsewhere = withdrawn.replace(str(cast.workspace.public_id), str(cast.other.public_id))
    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        answers = [Client().get(path) for path in (used, withdrawn, late, unknown, elsewhere)]
        assert Client().post(late, JOINING).status_code == 404
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(rb'(nonce|token|content)="[^"]*"', b"", answer.content) for answer in answers}) == 1
    assert "no longer valid" in answers[0].content.decode()


def test_a_second_invitation_replaces_the_first(cast: Cast) -> None:
    first, second = invite(cast), invite(cast, role="viewer")
    assert Client().get(first).status_code == 404
    Client().post(second, JOINING)
    assert members(cast)["nina@example.com"] == (Role.VIEWER, True)


def test_who_is_in_already_is_not_invited(cast: Cast) -> None:
    """Accepting must not turn an owner into a viewer."""
    answer = web(cast.ada).post("/settings/members/", {"email": "ADA@example.com", "role": "viewer"})
    assert answer.status_code == 422
    assert "is a member already" in answer.content.decode()
    path = invite(cast)
    join(cast.workspace, "Nina", Role.ADMIN)  # came in another way meanwhile
    nina = web(User.objects.get(email="nina@example.com"))
    assert nina.post(path).status_code == 302
    assert members(cast)["nina@example.com"] == (Role.ADMIN, True)


def test_who_was_let_go_may_be_invited_again(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        Membership.objects.filter(pk=cast.ben.pk).update(is_active=False)
    path = invite(cast, "ben@example.com", role="viewer")
    assert web(cast.ben.user).post(path).status_code == 302
    assert members(cast)["ben@example.com"] == (Role.VIEWER, True)


def test_admins_invite_no_owners(cast: Cast) -> None:
    anna = web(join(cast.workspace, "Anna", Role.ADMIN).user)
    answer = anna.post("/settings/members/", {"email": "x@example.com", "role": "owner"})
    assert answer.status_code == 422
    with workspace_scope(cast.workspace.pk):
        assert not Invitation.objects.exists()
