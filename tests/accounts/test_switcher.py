"""One person in several workspaces: one at a time is seen, and a stale tab writes nothing."""

from accounts.models import Role
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import workspace_scope
from tests.builders import queued


def test_the_switcher_changes_what_is_seen(client, cast):
    with workspace_scope(cast.other.pk):
        add_member(user=cast.ada, role=Role.CSM, acting_user=cast.zoe)
        queued("Theirs")
    with workspace_scope(cast.workspace.pk):
        queued("Mine")
    client.force_login(cast.ada)
    assert "Mine" in client.get("/accounts/").content.decode()
    answer = client.post("/workspaces/current/", {"workspace": cast.other.public_id})
    assert (answer.status_code, answer.url) == (302, "/")
    page = client.get("/accounts/").content.decode()
    assert "Theirs" in page
    assert "Mine" not in page
    assert client.get("/settings/members/").status_code == 403, "a CSM here, an owner there"


def test_a_tab_of_the_workspace_before_writes_nothing(client, cast):
    with workspace_scope(cast.other.pk):
        add_member(user=cast.ada, role=Role.OWNER, acting_user=cast.zoe)
    client.force_login(cast.ada)
    client.post("/workspaces/current/", {"workspace": cast.other.public_id})
    stale = {"workspace": cast.workspace.public_id, "name": "key", "scope": "read"}
    assert client.post("/settings/keys/", stale).status_code == 409
    assert client.post("/settings/keys/", {**stale, "workspace": cast.other.public_id}).status_code == 200


def test_a_garbled_choice_is_refused(client, cast):
    client.force_login(cast.ada)
    assert client.post("/workspaces/current/", {"workspace": "nonsense"}).status_code == 404
