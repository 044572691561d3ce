"""Roles, the last owner, and access that is taken away."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Membership, Role
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import join
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def member(cast: Cast, name: str) -> Membership:
    with workspace_scope(cast.workspace.pk):
        return Membership.objects.select_related("user").get(user__name=name)


def act(cast: Cast, by: str, whom: str, what: str, **form: str) -> str:
    client = web(member(cast, by).user)
    url = f"/settings/members/{member(cast, whom).public_id}/{what}/"
    answer = client.post(url, form, follow=True)
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


def test_an_owner_gives_roles(cast: Cast) -> None:
    assert "Ben has a new role." in act(cast, "Ada", "Ben", "role", role="admin")
    assert member(cast, "Ben").role == Role.ADMIN
    with workspace_scope(cast.workspace.pk):
        entry = AuditEntry.objects.get(action="accounts.membership.role_changed")
    assert (entry.actor_id, entry.data["role"]) == (cast.ada.pk, "admin")


@pytest.mark.parametrize(("what", "form"), [("role", {"role": "admin"}), ("deactivation", {})])
def test_the_last_owner_stays(cast: Cast, what: str, form: dict[str, str]) -> None:
    assert "needs at least one owner" in act(cast, "Ada", "Ada", what, **form)
    ada = member(cast, "Ada")
    assert (ada.role, ada.is_active) == (Role.OWNER, True)
    join(cast.workspace, "Olga", Role.OWNER)
    act(cast, "Olga", "Ada", what, **form)
    ada = member(cast, "Ada")
    assert (ada.role, ada.is_active) != (Role.OWNER, True), "with a second one the first may go"


def test_an_owner_who_was_let_go_does_not_count(cast: Cast) -> None:
    join(cast.workspace, "Olga", Role.OWNER)
    act(cast, "Ada", "Olga", "deactivation")
    assert "needs at least one owner" in act(cast, "Ada", "Ada", "deactivation")


def test_only_owners_make_change_or_remove_owners(cast: Cast) -> None:
    join(cast.workspace, "Anna", Role.ADMIN)
    join(cast.workspace, "Olga", Role.OWNER)
    for whom, what, form in (
        ("Ben", "role", {"role": "owner"}),
        ("Olga", "role", {"role": "viewer"}),
        ("Olga", "deactivation", {}),
        ("Anna", "role", {"role": "owner"}),
    ):
        assert "only an owner can" in act(cast, "Anna", whom, what, **form)
    act(cast, "Ada", "Olga", "deactivation")
    assert "only an owner can" in act(cast, "Anna", "Olga", "deactivation"), "nor give them back"
    roles = [member(cast, name).role for name in ("Ben", "Olga", "Anna")]
    assert roles == [Role.CSM, Role.OWNER, Role.ADMIN]
    page = web(member(cast, "Anna").user).get("/settings/members/").content.decode()
    assert '<option value="owner"' not in page, "what is refused is not offered"


def test_access_ends_at_once_and_comes_back(cast: Cast) -> None:
    ben = web(cast.ben.user)
    assert ben.get("/queue/").status_code == 200
    assert "Ben can no longer come in." in act(cast, "Ada", "Ben", "deactivation")
    assert ben.get("/queue/").status_code == 403
    assert "Ben may come in again." in act(cast, "Ada", "Ben", "deactivation")
    assert ben.get("/queue/").status_code == 200
    assert member(cast, "Ben").role == Role.CSM


def test_a_new_role_holds_from_the_next_request_on(cast: Cast) -> None:
    ben = web(cast.ben.user)
    assert ben.get("/settings/members/").status_code == 403
    act(cast, "Ada", "Ben", "role", role="admin")
    assert ben.get("/settings/members/").status_code == 200


def test_csm_and_viewer_manage_nobody(cast: Cast) -> None:
    for name in ("Ben", "Vera"):
        assert act(cast, name, "Vera", "role", role="admin") == "403"
        assert act(cast, name, "Ada", "deactivation") == "403"


def test_an_unknown_role_changes_nothing(cast: Cast) -> None:
    assert "Nothing was changed" in act(cast, "Ada", "Ben", "role", role="king")
    assert member(cast, "Ben").role == Role.CSM
