"""What changed since: nobody who follows the changes misses one, whatever wrote it."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Contact, Import, Ticket
from accounts.queries.changes import settled_until
from accounts.services.import_undo import undo_import
from cs_platform.lib.scoping import workspace_scope
from tests.api_world import Caller, api_key, make_world
from tests.builders import make_account, make_contact

NOUNS = ("accounts", "contacts", "subscriptions", "tickets", "invoices")
ALWAYS = "2000-01-01T00:00:00Z"


@pytest.fixture
def call(client, cast):
    return Caller(client, api_key(cast.workspace)[1])


def changed(call, noun, since):
    return call("GET", f"/{noun}/?updated_since={since}").json()["results"]


@pytest.mark.parametrize("noun", NOUNS)
def test_only_what_changed_since_comes_and_the_oldest_change_first(call, cast, noun):
    with workspace_scope(cast.workspace.pk):
        rows = [make_world(name)[noun] for name in ("First", "Second", "Third")]
    seen = changed(call, noun, ALWAYS)
    assert [row["public_id"] for row in seen] == [str(row.public_id) for row in rows]
    with workspace_scope(cast.workspace.pk):
        rows[0].external_id = "renamed"
        rows[0].save()
    after = changed(call, noun, seen[-1]["updated_at"])
    assert [row["external_id"] for row in after][-1] == "renamed"
    assert {row["public_id"] for row in after} <= {seen[-1]["public_id"], seen[0]["public_id"]}


def test_what_is_written_again_as_it_was_keeps_its_time(call, cast):
    body = {"external_id": "n", "name": "Northwind", "domain": "n.example"}
    first = call("PUT", "/accounts/", body).json()["updated_at"]
    assert call("PUT", "/accounts/", body).json()["updated_at"] == first
    with workspace_scope(cast.workspace.pk):
        Account.objects.update(name="Northwind")
    assert call("PUT", "/accounts/", body).json()["updated_at"] == first
    assert call("PUT", "/accounts/", body | {"name": "Other"}).json()["updated_at"] > first


def test_every_way_of_writing_is_seen(call, cast):
    """Saved, updated in bulk, upserted, undone."""
    with workspace_scope(cast.workspace.pk):
        contact = make_contact(make_account(), external_id="mina")

    def time():
        with workspace_scope(cast.workspace.pk):
            return Contact.objects.get(pk=contact.pk).updated_at

    times = [time()]
    with workspace_scope(cast.workspace.pk):
        Contact.objects.filter(pk=contact.pk).update(role="buyer")
    times.append(time())
    call("PUT", "/contacts/", {"external_id": "mina", "account": "northwind", "name": "Somebody Else"})
    times.append(time())
    with workspace_scope(cast.workspace.pk):
        undo_import(source_import=Import.objects.get(), acting_user=None, now=timezone.now())
    times.append(time())
    assert times == sorted(set(times))


def test_pages_of_changes_are_whole_while_rows_change(call, cast):
    with workspace_scope(cast.workspace.pk):
        rows = [make_account(f"Company {number}") for number in range(7)]
    page = call("GET", f"/accounts/?limit=3&updated_since={ALWAYS}").json()
    seen = [row["external_id"] for row in page["results"]]
    with workspace_scope(cast.workspace.pk):
        Account.objects.filter(pk=rows[0].pk).update(name="Changed meanwhile")
    while page["next"]:
        page = call("GET", page["next"].split("/api/v1")[1]).json()
        seen += [row["external_id"] for row in page["results"]]
    assert seen == [*(row.external_id for row in rows), rows[0].external_id]


def test_cursors_of_the_two_orders_do_not_mix(call, cast):
    with workspace_scope(cast.workspace.pk):
        for number in range(3):
            make_account(f"Company {number}")
    by_id = call("GET", "/accounts/?limit=1").json()["next"].split("cursor=")[1]
    by_time = call("GET", f"/accounts/?limit=1&updated_since={ALWAYS}").json()["next"].split("cursor=")[1]
    for query in (f"cursor={by_time}", f"updated_since={ALWAYS}&cursor={by_id}", "updated_since=yesterday"):
        assert call("GET", f"/accounts/?{query}").status_code == 422


_CONNECT = {"dbname", "user", "password", "host", "port"}


def test_a_row_of_a_transaction_that_is_still_open_is_waited_for(call, cast):
    """Without waiting, a reader would go on from a later row and never see the one that is committed after it."""
    parameters = {k: v for k, v in connection.get_connection_params().items() if k in _CONNECT}
    with psycopg.connect(**parameters) as writer:
        writer.execute("SELECT set_config('app.workspace', %s, true)", [str(cast.workspace.pk)])
        writer.execute("UPDATE accounts_ticket SET subject = 'x' WHERE workspace_id = -1")
        before = timezone.now()
        with workspace_scope(cast.workspace.pk):
            Ticket.objects.create(account=make_account(), external_id="late", opened_at=timezone.now())
            assert settled_until() < before
        assert changed(call, "tickets", ALWAYS) == []
        with workspace_scope(cast.other.pk):
            assert settled_until() > before, "another workspace waits for nobody"
        writer.rollback()
    assert [row["external_id"] for row in changed(call, "tickets", ALWAYS)] == ["late"]


def test_the_settled_moment_is_now_when_nobody_writes(cast):
    with workspace_scope(cast.workspace.pk):
        assert timezone.now() - settled_until() < timedelta(seconds=5)
