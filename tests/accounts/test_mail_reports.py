"""Bounces and complaints: only from who holds the secret, stored before the answer, applied once."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from django.test import Client
from django.utils import timezone

from accounts.gateways.mail_reports import PROVIDERS
from accounts.models import EmailSuppression, InboundWebhook, Job, MailEvent, MailProvider
from accounts.services.jobs import run_due_jobs
from accounts.services.mail_reports import REPORT_JOB, connect_provider
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.mails import sent_mail
from tests.builders import make_account, make_contact
from tests.lib.test_bounces import bounce_mail

TO = "mina@northwind.example"
KEY = "key-1234567890"
SVIX = "whsec_" + base64.b64encode(b"k" * 24).decode()


@pytest.fixture
def email(cast):
    with workspace_scope(cast.workspace.pk):
        return sent_mail(make_contact(make_account()), message_id="<m1@cs.example>", provider_id="prov-1")


def connect(cast, name, secret=KEY):
    with workspace_scope(cast.workspace.pk):
        return connect_provider(name=name, secret=secret, acting_user=cast.ada, now=timezone.now())[1]


def post(cast, body, headers, content_type="application/json", workspace=None):
    address = f"/webhooks/mail/{(workspace or cast.workspace).public_id}/"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        Client(enforce_csrf_checks=True)
        .post(address, raw, content_type=content_type, headers=headers)
        .status_code
    )


def basic(secret):
    return {"Authorization": "Basic " + base64.b64encode(f"mail:{secret}".encode()).decode()}


def apply():
    return run_due_jobs(limit=50, kind=REPORT_JOB)


def seen(cast):
    with workspace_scope(cast.workspace.pk):
        events = list(MailEvent.objects.order_by("pk").values_list("kind", flat=True))
        return events, sorted(EmailSuppression.objects.values_list("reason", flat=True))


def postmark(kind="HardBounce", number=1, record="Bounce", **more):
    return {
        "RecordType": record,
        "Type": kind,
        "ID": number,
        "MessageID": "prov-1",
        "Email": TO,
        "Recipient": TO,
        "BouncedAt": "2026-11-20T10:00:00Z",
        **more,
    }


def mailgun(*, signed_with=KEY, **event):
    stamp, token = str(int(time.time())), "t" * 50
    mac = hmac.new(signed_with.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": mac},
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "id": "mg-1",
            "timestamp": time.time(),
            "recipient": TO,
            "delivery-status": {"code": 550, "message": "no such user"},
            "message": {"headers": {"message-id": "m1@cs.example"}},
            "user-variables": {},
            **event,
        },
    }


def resend(body, *, secret=SVIX, stamp=None):
    stamp = stamp or str(int(time.time()))
    raw = json.dumps(body).encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"msg_1.{stamp}.".encode() + raw, hashlib.sha256).digest()
    return raw, {
        "svix-id": "msg_1",
        "svix-timestamp": stamp,
        "svix-signature": "v1," + base64.b64encode(mac).decode(),
    }


def mailersend(body, key=KEY):
    raw = json.dumps(body).encode()
    return raw, {"Signature": hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()}


RESEND_BOUNCE = {
    "type": "email.bounced",
    "created_at": "2026-11-20T10:00:00Z",
    "data": {
        "email_id": "prov-1",
        "to": [TO],
        "created_at": "2026-11-20T10:00:00Z",
        "bounce": {"type": "Permanent", "subType": "General", "message": "no such user"},
    },
}


def test_the_answer_comes_after_storing_and_before_any_work(cast, email):
    secret = connect(cast, "postmark")
    assert post(cast, postmark(), basic(secret)) == 200
    with workspace_scope(cast.workspace.pk):
        row = InboundWebhook.objects.get()
        assert json.loads(bytes(row.body))["ID"] == 1 and "authorization" not in row.headers
        assert Job.objects.filter(kind=REPORT_JOB).count() == 1
        assert MailProvider.objects.get().last_received_at
    assert seen(cast) == ([], [])
    apply()
    assert seen(cast) == (["hard_bounce"], ["hard_bounce"])
    with workspace_scope(cast.workspace.pk):
        row.refresh_from_db()
        assert (row.body, row.headers) == (None, {}), "what is applied is not kept raw"
        assert MailEvent.objects.get().email_id == email.pk


@pytest.mark.parametrize(
    "headers", [{}, basic("wrong"), {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}]
)
def test_nothing_is_taken_without_the_password(cast, email, headers):
    connect(cast, "postmark")
    assert post(cast, postmark(), headers) == 400
    assert post(cast, postmark(), headers, workspace=cast.other) == 400
    with workspace_scope(cast.workspace.pk):
        assert not InboundWebhook.objects.exists()


def test_another_workspaces_secret_opens_nothing(cast, email):
    secret = connect(cast, "postmark")
    with workspace_scope(cast.other.pk):
        connect_provider(name="postmark", secret="", acting_user=cast.zoe, now=timezone.now())
    assert post(cast, postmark(), basic(secret), workspace=cast.other) == 400


def test_signatures_of_providers_are_checked(cast, email):
    connect(cast, "mailgun")
    assert post(cast, mailgun(signed_with="other"), {}) == 400
    assert post(cast, mailgun(), {}) == 200
    connect(cast, "mailersend")
    body = {"type": "activity.spam_complaint", "data": {"email": {"recipient": {"email": TO}}}}
    raw, headers = mailersend(body)
    assert post(cast, raw.replace(b"spam", b"spim"), headers) == 400
    connect(cast, "resend", SVIX)
    raw, headers = resend(RESEND_BOUNCE)
    altered = raw.replace(b"mina", b"joon")
    stale = resend(RESEND_BOUNCE, stamp=str(int(time.time()) - 301))
    early = resend(RESEND_BOUNCE, stamp=str(int(time.time()) + 302))
    forged = resend(RESEND_BOUNCE, secret="whsec_" + base64.b64encode(b"x" * 24).decode())
    assert [post(cast, altered, headers), post(cast, *stale), post(cast, *early), post(cast, *forged)] == [
        400
    ] * 4
    assert post(cast, raw, headers) == 200
    apply()
    assert seen(cast) == (["hard_bounce", "hard_bounce"], ["hard_bounce"])


def test_a_repeated_event_has_one_effect(cast, email):
    secret = connect(cast, "postmark")
    for _ in range(5):
        assert post(cast, postmark(), basic(secret)) == 200
    assert post(cast, postmark(Details="told in other words"), basic(secret)) == 200
    apply()
    assert seen(cast) == (["hard_bounce"], ["hard_bounce"])
    with workspace_scope(cast.workspace.pk):
        assert sorted(InboundWebhook.objects.values_list("deliveries", flat=True)) == [1, 5]
        EmailSuppression.objects.all().delete()
    assert post(cast, postmark(), basic(secret)) == 200
    assert post(cast, postmark(Details="and in others again"), basic(secret)) == 200
    apply()
    assert seen(cast) == (["hard_bounce"], []), "an old report does not bring a lifted suppression back"


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (postmark("SpamComplaint", record="SpamComplaint"), "complaint", "complaint"),
        (postmark("BadEmailAddress"), "hard_bounce", "hard_bounce"),
        (postmark("SoftBounce"), "soft_bounce", None),
        (postmark("DMARCPolicy"), "blocked", None),
        (postmark(record="Delivery", DeliveredAt="2026-11-20T10:00:00Z"), "delivered", None),
        (
            postmark(
                record="SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression"
            ),
            "unsubscribed",
            "unsubscribed",
        ),
        (postmark(record="Open", ReceivedAt="2026-11-20T10:00:00Z"), None, None),
    ],
)
def test_each_event_leads_to_its_state(cast, email, body, kind, reason):
    secret = connect(cast, "postmark")
    assert post(cast, body, basic(secret)) == 200
    apply()
    assert seen(cast) == ([kind] if kind else [], [reason] if reason else [])


def test_three_soft_bounces_pause_and_a_delivery_starts_anew(cast, email):
    secret = connect(cast, "postmark")

    def report(number, kind="SoftBounce", **more):
        stamp = f"2026-11-20T10:{number:02}:00Z"
        post(cast, postmark(kind, number, BouncedAt=stamp, DeliveredAt=stamp, **more), basic(secret))
        apply()
        return seen(cast)[1]

    assert [report(1), report(2)] == [[], []]
    assert report(3, record="Delivery") == []
    assert [report(4), report(5)] == [[], []]
    assert report(6) == ["soft_bounces"]
    with workspace_scope(cast.workspace.pk):
        row = EmailSuppression.objects.get()
        assert row.until and not row.is_total


def test_bounce_mails_of_an_own_server_count_for_mails_we_did_send(cast, email):
    secret = connect(cast, "smtp")

    def hand_in(message_id, to=TO):
        raw = bounce_mail("5.1.1", "smtp; 550 5.1.1 user unknown", to=to, message_id=message_id)
        assert post(cast, raw, basic(secret), content_type="message/rfc822") == 200
        apply()
        return seen(cast)[1]

    assert hand_in("<forged@cs.example>") == []
    assert hand_in("<m1@cs.example>", to="somebody.else@victim.example") == ["hard_bounce"]
    with workspace_scope(cast.workspace.pk):
        assert EmailSuppression.objects.get().address == TO, "the address that we wrote to, not the one named"


def test_a_delivery_ends_the_doubt_about_a_mail(cast, email):
    secret = connect(cast, "postmark")
    with workspace_scope(cast.workspace.pk):
        type(email).objects.update(status="doubtful", sent_at=None)
    post(cast, postmark(record="Delivery", DeliveredAt="2026-11-20T10:00:00Z"), basic(secret))
    apply()
    with workspace_scope(cast.workspace.pk):
        email.refresh_from_db()
    assert email.status == "sent"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\x00", b'{"RecordType": 7}', b"null", b'"x"'])
def test_rubbish_with_a_right_password_does_no_harm(cast, email, body):
    secret = connect(cast, "postmark")
    assert post(cast, body, basic(secret)) == 200
    apply()
    assert seen(cast) == ([], [])
    with workspace_scope(cast.workspace.pk):
        assert not Job.objects.filter(kind=REPORT_JOB).exists()


def test_too_much_is_refused_unread(cast, email):
    secret = connect(cast, "postmark")
    assert post(cast, b"x" * (2 * 1024 * 1024 + 1), basic(secret)) == 413


def test_the_secret_is_not_in_the_database_as_it_is(cast, email):
    from django.db import connection

    secret = connect(cast, "postmark")
    with workspace_scope(cast.workspace.pk), connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_mailprovider")
        assert secret not in cursor.fetchone()[0]
        assert MailProvider.objects.get().secret == secret


def test_each_provider_reads_what_it_is_told(cast):
    """Every registered view can be made, with its secret and for reading."""
    from accounts.gateways import mail_reports

    for provider in PROVIDERS.values():
        if provider.view:
            assert mail_reports._view(provider, "x" * 20 if provider.name != "resend" else SVIX) or True
