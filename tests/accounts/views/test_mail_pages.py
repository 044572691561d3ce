"""The pages about mail: a person's, the delivery settings, the suppressed addresses."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, EmailSuppression, Job, MailEvent, MailProvider, Motion, OutboundEmail
from accounts.services.arbiter import decide, place_hold
from accounts.services.mail import SEND_JOB
from accounts.services.suppressions import address_hash, suppress, unsubscribe
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.mails import sent_mail
from tests.accounts.web import web
from tests.builders import make_account, make_contact


@pytest.fixture
def mina(cast):
    with workspace_scope(cast.workspace.pk):
        return make_contact(make_account())


def page(cast, path, user=None):
    response = web(user or cast.ada).get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_persons_page_answers_why_she_was_not_mailed(cast, mina):
    now = timezone.now()
    with workspace_scope(cast.workspace.pk):
        place_hold(contact=mina, motion=Motion.DUNNING, until=now + timedelta(days=3), now=now)
        decide(contact=mina, mail_class="other", kind="x", now=now, motion=Motion.WINBACK)
        unsubscribe(mina.email, categories=["offers"], now=now)
        decide(contact=mina, mail_class="other", kind="x", now=now, category="offers")
        sent_mail(mina, status="doubtful", sent_at=None, last_error="crashed", kind="accounts.reminder")
        back = sent_mail(mina)
        MailEvent.objects.create(
            event_id="e1",
            email=back,
            address_hash=address_hash(mina.email),
            kind="hard_bounce",
            occurred_at=now,
            received_at=now,
        )
        make_contact(make_account("Southwind"), email=mina.email)
    text = page(cast, f"/contacts/{mina.public_id}/", cast.vera.user)
    assert "Something more important is going on with this person: Payment recovery." in text
    assert "The person switched off this kind of mail: Offers and newsletters." in text
    assert "Doubtful" in text and "Refused for good" in text and "switched off" in text
    assert "Southwind" in text and "Mail: reminder" in text


def test_the_persons_page_costs_the_same_for_many_mails(cast, mina):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page(cast, f"/contacts/{mina.public_id}/")
        return len(seen)

    first = queries()
    with workspace_scope(cast.workspace.pk):
        for _ in range(30):
            sent_mail(mina)
            decide(contact=mina, mail_class="transactional", kind="x", now=timezone.now())
    assert queries() <= first + 1, "the reports of all mails at once"


def test_the_account_and_the_search_lead_to_the_person(cast, mina):
    assert f"/contacts/{mina.public_id}/" in page(cast, f"/accounts/{mina.account.public_id}/")


def test_doubtful_mails_wait_for_a_human(cast, mina):
    with workspace_scope(cast.workspace.pk):
        first, second = (sent_mail(mina, status="doubtful", sent_at=None, last_error="crashed") for _ in "ab")
    client = web(cast.ada)
    assert page(cast, "/settings/mail-delivery/").count("Send again</button>") == 2
    client.post(f"/settings/mail-delivery/doubtful/{first.public_id}/", {"choice": "again"})
    client.post(f"/settings/mail-delivery/doubtful/{second.public_id}/", {"choice": "leave"})
    client.post(f"/settings/mail-delivery/doubtful/{second.public_id}/", {"choice": "again"})
    with workspace_scope(cast.workspace.pk):
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, second.status) == ("queued", "doubtful")
        assert second.reviewed_at and first.begun_at is None
        assert Job.objects.filter(kind=SEND_JOB).values_list("object_id", flat=True).get() == first.pk
        actions = list(
            AuditEntry.objects.filter(action__startswith="accounts.mail.").values_list("action", flat=True)
        )
    assert sorted(actions) == ["accounts.mail.left_doubtful", "accounts.mail.sent_again"]
    assert "Send again</button>" not in page(cast, "/settings/mail-delivery/")


def test_a_provider_is_connected_and_its_password_shown_once(cast):
    client = web(cast.ada)
    shown = client.post("/settings/mail-delivery/", {"name": "postmark"}).content.decode()
    with workspace_scope(cast.workspace.pk):
        provider = MailProvider.objects.get()
    address = f"http://mail:{provider.secret}@testserver/webhooks/mail/{cast.workspace.public_id}/"
    assert address in shown and provider.secret not in page(cast, "/settings/mail-delivery/")
    missing = client.post("/settings/mail-delivery/", {"name": "mailgun", "secret": ""})
    assert missing.status_code == 422 and "Paste the signing key" in missing.content.decode()
    assert client.post("/settings/mail-delivery/", {"name": "resend", "secret": "nö"}).status_code == 422
    client.post(f"/settings/mail-delivery/providers/{provider.public_id}/disconnection/")
    with workspace_scope(cast.workspace.pk):
        assert not MailProvider.objects.exists()


def test_an_address_is_suppressed_found_and_let_go(cast):
    client = web(cast.ada)
    assert client.post("/settings/suppressions/", {"address": "not one"}).status_code == 422
    client.post(
        "/settings/suppressions/", {"address": "Eve@Example.com", "note": "=asked by phone", "is_total": "on"}
    )
    text = page(cast, "/settings/suppressions/?q=eve@example.com")
    assert "Eve@Example.com" in text and "Everything" in text and str(cast.ada) in text
    assert "Not on the list" in page(cast, "/settings/suppressions/?reason=complaint")
    rows = page(cast, "/settings/suppressions/?format=csv")
    assert "Eve@Example.com" in rows and "'=asked by phone" in rows
    with workspace_scope(cast.workspace.pk):
        row = EmailSuppression.objects.get()
    client.post(f"/settings/suppressions/{row.public_id}/removal/")
    with workspace_scope(cast.workspace.pk):
        assert not EmailSuppression.objects.exists()
        actions = AuditEntry.objects.filter(action__startswith="accounts.suppression").order_by("pk")
        assert [a.action for a in actions] == ["accounts.suppression.added", "accounts.suppression.removed"]
        assert "example.com" not in str([a.data for a in actions]).lower(), "codes, not people"


def test_the_list_turns_its_pages_by_keys(cast):
    with workspace_scope(cast.workspace.pk):
        for number in range(120):
            suppress(f"p{number:03}@x.example", reason="manual", now=timezone.now())
    client, path, seen = web(cast.ada), "/settings/suppressions/", []
    while path:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        assert len(queries) < 25
        seen += [row.address for row in response.context["rows"]]
        path = (
            "/settings/suppressions/" + response.context["next_url"] if response.context["next_url"] else ""
        )
    assert len(seen) == len(set(seen)) == 120
    assert client.get("/settings/suppressions/?after=rubbish").status_code == 200


def test_figures_name_their_denominator(cast, mina):
    with workspace_scope(cast.workspace.pk):
        for _ in range(100):
            mail = sent_mail(mina)
        MailEvent.objects.create(
            event_id="c1",
            email=mail,
            address_hash=b"x",
            kind="complaint",
            occurred_at=timezone.now(),
            received_at=timezone.now(),
        )
        assert OutboundEmail.objects.count() == 100
    text = page(cast, "/settings/mail-delivery/")
    assert "Too many" in text and "1.00%" in text.replace(" %", "%")


def test_moments_are_told_by_the_workspaces_clock(cast, mina):
    with workspace_scope(cast.workspace.pk):
        type(cast.workspace).objects.filter(pk=cast.workspace.pk).update(time_zone="Asia/Seoul")
        evening = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
        sent_mail(mina, status="queued", sent_at=None, not_before=evening)
    text = page(cast, f"/contacts/{mina.public_id}/", cast.vera.user)
    assert "asked again March 2, 2026, 5:30 a.m." in text
    assert timezone.get_current_timezone_name() == "UTC", "the clock is the page's alone"
