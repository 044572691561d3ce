"""Notifications: never twice for one cause, only where wanted, one mail a day in one's own time."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Notification, NotificationDigest, OutboundEmail
from accounts.registry import notification_kinds
from accounts.services.digests import send_due_digests
from accounts.services.notifications import choose, mark_read, notify, notify_admins
from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import NOW, make_account

KIND = "accounts.assigned"
# A Friday, eight o'clock in Seoul.
SEOUL_MORNING = datetime(2026, 11, 19, 23, 0, tzinfo=UTC)


def tell(scope, key="1", **options):
    context = {"count": 1, "names": ["Northwind"]}
    return notify(kind=KIND, membership=scope.ben, cause_key=key, context=context, now=NOW, **options)


def test_one_cause_is_told_once(scope):
    assert tell(scope) is not None
    mark_read(membership=scope.ben, now=NOW)
    assert tell(scope) is None
    assert Notification.objects.count() == 1


def test_what_is_switched_off_is_not_told(scope):
    choose(membership=scope.ben, kind=KIND, in_app=False, in_digest=False)
    assert tell(scope) is None
    choose(membership=scope.ben, kind=KIND, in_app=True, in_digest=False)
    assert not tell(scope, "2").in_digest
    with pytest.raises(UnknownName):
        choose(membership=scope.ben, kind="accounts.asigned", in_app=True, in_digest=True)


def test_admins_hear_of_what_is_theirs(scope):
    told = notify_admins(
        kind="accounts.webhook_disabled", cause_key="1", context={"host": "x", "endpoint": "y"}, now=NOW
    )
    assert told == 1
    assert Notification.objects.get().membership.user_id == scope.ada.pk


def digests(cast, now):
    send_due_digests(now)
    with workspace_scope(cast.workspace.pk):
        return list(OutboundEmail.objects.filter(kind="accounts.digest").order_by("pk"))


def test_the_digest_comes_at_eight_of_ones_own_clock_and_once(cast):
    cast.ben.user.time_zone = "Asia/Seoul"
    cast.ben.user.language = "ko"
    cast.ben.user.save()
    with workspace_scope(cast.workspace.pk):
        account = make_account("Northwind")
        tell(cast, account=account)
    assert digests(cast, SEOUL_MORNING - timedelta(minutes=1)) == []
    (mail,) = digests(cast, SEOUL_MORNING)
    assert (mail.to_address, mail.language) == (cast.ben.user.email, "ko")
    assert "Northwind" in str(mail.context) and str(account.public_id) in str(mail.context)
    with workspace_scope(cast.workspace.pk):
        tell(cast, "2")
    assert len(digests(cast, SEOUL_MORNING + timedelta(hours=3))) == 1, "one a day"
    assert len(digests(cast, SEOUL_MORNING + timedelta(days=1))) == 1, "not on a Saturday"
    assert len(digests(cast, SEOUL_MORNING + timedelta(days=3))) == 2


def test_what_was_read_needs_no_mail(cast):
    with workspace_scope(cast.workspace.pk):
        tell(cast)
        mark_read(membership=cast.ben, now=NOW)
    assert digests(cast, NOW) == []
    with workspace_scope(cast.workspace.pk):
        assert not NotificationDigest.objects.exists()


def test_the_bell_counts_and_the_page_leads_on(cast):
    with workspace_scope(cast.workspace.pk):
        account = make_account("Northwind")
        row = tell(cast, account=account)
    client = web(cast.ben.user)
    assert "1 unread" in client.get("/notifications/bell/").content.decode()
    assert "Northwind" in client.get("/notifications/").content.decode()
    answer = client.post(f"/notifications/{row.public_id}/reading/")
    assert answer.url == f"/accounts/{account.public_id}/"
    assert "unread" not in client.get("/notifications/bell/").content.decode()


def test_somebody_elses_notification_is_unknown(cast):
    with workspace_scope(cast.workspace.pk):
        row = tell(cast)
    client = web(cast.vera.user)
    assert client.post(f"/notifications/{row.public_id}/reading/").status_code == 404
    assert "Northwind" not in client.get("/notifications/").content.decode()


def test_each_kind_can_be_switched(cast):
    client = web(cast.ben.user)
    assert "Accounts given to you" in client.get("/settings/notifications/").content.decode()
    client.post("/settings/notifications/", {f"digest:{KIND}": "on"})
    with workspace_scope(cast.workspace.pk):
        row = tell(cast)
    assert (row.in_app, row.in_digest) == (False, True)


class Filled(dict):
    """A context in which every other name is a public id."""

    def __missing__(self, name):
        return "00000000-0000-0000-0000-000000000000"


def test_every_kind_has_words_and_a_place():
    assert {kind.name for kind in notification_kinds} >= {KIND, "health.turned_red", "health.churned"}
    counts = dict.fromkeys("count waiting number created updated rejected failed tries".split(), 3)
    context = Filled(**counts, usual_failed=2, usual_tries=90, names=["A", "B"])
    for kind in notification_kinds:
        title, _ = kind.words(context, None)
        assert title and kind.address(context, None).startswith("/"), kind.name
