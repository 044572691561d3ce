"""Every address for nobody, for each role and from another workspace."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.access import roles_with
from accounts.models import Membership, Role
from cs_platform.lib.scoping import workspace_scope
from tests.access.table import OPEN, OURS, PREFIXES, addresses, fingerprint, path_of, signed_in
from tests.builders import join, queued


def test_every_page_declares_who_may_see_it():
    """A URL without a declaration fails here, and so does one that is neither ours nor on the list."""
    assert [a.name for a in OURS if not a.permission] == []
    strangers = [a for a in addresses() if not a.is_ours and a.permission is None]
    for address in strangers:
        known = (
            address.name in OPEN or address.name.startswith(PREFIXES) or address.route.startswith("social/")
        )
        assert known or "allauth" in address.callback.__module__, address


def test_a_stranger_is_sent_to_sign_in(cast, made):
    for address in OURS:
        for response in (Client().get(path_of(address, made)), Client().post(path_of(address, made))):
            refused = response.status_code == 405
            assert refused or (response.status_code == 302 and response.url.startswith("/login/")), address


def both(client: Client, path: str) -> list[int]:
    return [client.get(path).status_code, client.post(path, {}).status_code]


def test_another_workspaces_ids_are_as_unknown_as_random_ones(cast, made):
    """As owner of another workspace: 404 (or 405 for the wrong method) for every address with an id."""
    before = fingerprint(cast)
    client = signed_in(cast.zoe)
    for address in OURS:
        if "<uuid:" in address.route:
            assert set(both(client, path_of(address, made))) <= {404, 405}, address
    assert fingerprint(cast) == before, "a foreign request changed a row"


def test_ids_in_forms_are_scoped_too(cast, made):
    account, before = made["account"], fingerprint(cast)
    client = signed_in(cast.zoe)
    for name in ("snoozes", "resolutions", "assignments"):
        data = {"account": str(account.public_id), "result": "helped", "until": "2030-01-01", "csm": ""}
        assert client.post(f"/queue/{name}/", data).status_code in (404, 422), name
    assert client.post("/workspaces/current/", {"workspace": cast.workspace.public_id}).status_code == 404
    assert fingerprint(cast) == before


@pytest.mark.parametrize("role", Role.values)
def test_each_role_gets_exactly_its_pages(cast, made, role):
    user = cast.ada if role == Role.OWNER else join(cast.workspace, f"Role{role}", role).user
    client = signed_in(user)
    for address in OURS:
        allowed = address.permission in ("signed_in", "public") or role in roles_with(str(address.permission))
        status = client.get(path_of(address, made)).status_code
        assert (status != 403) == allowed or status == 405, (address, status)
        assert status < 500, address


@pytest.mark.parametrize("role", Role.values)
def test_no_role_does_what_it_may_not(cast, made, role):
    """The other half of the matrix: each act by POST, also where a page cannot be read."""
    user = cast.ada if role == Role.OWNER else join(cast.workspace, f"Act{role}", role).user
    client, before, refused = signed_in(user), fingerprint(cast), 0
    for address in OURS:
        if address.permission in ("signed_in", "public") or role in roles_with(str(address.permission)):
            continue
        status = client.post(
            path_of(address, made), {"name": "x", "role": "owner", "email": "x@example.com"}
        ).status_code
        assert status in (403, 405), (address, status)
        refused += status == 403
    assert fingerprint(cast) == before
    assert (refused == 0) == (role == Role.OWNER), "an owner may do everything, nobody else may"


def test_a_role_that_is_taken_away_ends_with_the_next_request(cast, made):
    client = signed_in(cast.ben.user)
    assert client.get("/queue/").status_code == 200
    with workspace_scope(cast.workspace.pk):
        Membership.objects.filter(pk=cast.ben.pk).update(is_active=False)
    assert client.get("/queue/").status_code == 403


def test_markers_of_another_workspace_are_nowhere_to_be_seen(cast, made):
    """Lists, search, export, counts: a hundred marked rows of Acme, and Zoe looks at every page."""
    marker = "Zq7Marker"
    with workspace_scope(cast.workspace.pk):
        for number in range(100):
            queued(f"{marker} {number}")
    client = signed_in(cast.zoe)
    for address in OURS:
        if "<" in address.route:
            continue
        response = client.get(f"/{address.route}", {"q": marker})
        body = response.getvalue() if response.streaming else response.content
        assert marker.encode() not in body.replace(f'value="{marker}"'.encode(), b"").replace(
            f"q={marker}".encode(), b""
        ).replace(f"“{marker}”".encode(), b""), address
