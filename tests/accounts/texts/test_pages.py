"""The pages of texts and branding: draft, publish, mistakes, preview, test, roles."""

import io

import pytest
from django.core import mail as outbox
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from accounts.models import BrandLogo, MailBranding, MailText, MailTextVersion, OutboundEmail
from accounts.services import mail
from accounts.services.jobs import run_due_jobs
from accounts.services.versions import draft_of, newest_published
from cs_platform.lib.scoping import workspace_scope
from health.services.demo import prepare_demo_workspace
from tests.accounts.web import web
from tests.builders import make_account, make_contact

WORDS = {
    "en-subject": "Hi {{ account.name }}",
    "en-body": "Dear {{ contact.first_name }}",
    "ko-subject": "",
    "ko-body": "",
}


@pytest.fixture
def text(cast):
    with workspace_scope(cast.workspace.pk):
        make_contact(make_account("Northwind", csm=cast.ben))
        return MailText.objects.get(key="introduction")


def page(text, rest=""):
    return f"/settings/texts/{text.public_id}/{rest}"


def published(cast, text):
    with workspace_scope(cast.workspace.pk):
        return newest_published(MailTextVersion, text)


def test_a_new_text_is_written_published_and_rolled_back(cast):
    client = web(cast.ada)
    made = client.post(
        "/settings/texts/new/", {"name": "Hello", "purpose": "personal", "mail_class": "other"}
    )
    with workspace_scope(cast.workspace.pk):
        text = MailText.objects.get(key="hello")
    assert made.url == page(text)
    client.post(page(text), {**WORDS, "do": "publish"})
    client.post(page(text), {**WORDS, "en-subject": "Second", "do": "publish"})
    assert published(cast, text).definition == {"en": {"subject": "Second", "body": WORDS["en-body"]}}
    with workspace_scope(cast.workspace.pk):
        first = MailTextVersion.objects.get(text=text, number=1)
    client.post(f"/settings/texts/versions/{first.public_id}/rollbacks/")
    assert published(cast, text).definition["en"]["subject"] == WORDS["en-subject"]


def test_a_mistake_is_named_and_nothing_is_lost(cast, text):
    before = published(cast, text).number
    answer = web(cast.ada).post(page(text), {**WORDS, "en-body": "Hi {{ contact.nmae }}", "do": "publish"})
    assert answer.status_code == 422
    assert "Line 1, character 4" in answer.content.decode()
    assert published(cast, text).number == before
    with workspace_scope(cast.workspace.pk):
        assert draft_of(MailTextVersion, text).definition["en"]["body"] == "Hi {{ contact.nmae }}"


def test_a_csm_may_look_but_not_change(cast, text):
    client = web(cast.ben.user)
    assert client.get(page(text)).status_code == 200
    assert client.post(page(text), {**WORDS, "do": "publish"}).status_code == 403


def test_the_preview_is_what_a_person_would_get(cast, text):
    answer = web(cast.ada).post(
        page(text, "preview/"), {**WORDS, "language": "en", "person": "mina@northwind.example"}
    )
    body = answer.content.decode()
    assert "Dear Mina" in body
    assert " style=" not in body
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    dark = web(cast.ada).get(page(text, "preview/?scheme=dark")).content.decode()
    assert "@media all{" in dark
    assert "@media not all{" in body


def test_a_test_goes_to_oneself(cast, text):
    answer = web(cast.ada).post(page(text), {**WORDS, "do": "test", "language": "en", "person": ""})
    assert answer.status_code == 302
    run_due_jobs(limit=5, kind=mail.SEND_JOB)
    [sent] = outbox.outbox
    assert (sent.to, sent.subject) == (["ada@example.com"], "[Test] Hi Northwind")


def test_the_list_asks_as_many_questions_for_many_texts_as_for_few(cast):
    client = web(cast.ada)
    client.get("/settings/texts/")
    with CaptureQueriesContext(connection) as few:
        client.get("/settings/texts/")
    with workspace_scope(cast.workspace.pk):
        for number in range(30):
            MailText.objects.create(key=f"more-{number}", name=f"More {number}")
    with CaptureQueriesContext(connection) as many:
        assert "More 29" in client.get("/settings/texts/").content.decode()
    assert len(many) == len(few)


def test_an_archived_text_is_offered_no_more(cast, text):
    client = web(cast.ada)
    client.post(page(text, "archive/"))
    assert "introduction" not in client.get("/settings/texts/").content.decode()
    assert "introduction" in client.get("/settings/texts/?archived=1").content.decode()


def picture(kind="PNG", size=(400, 100)):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(
        file, kind, **({"comment": b"taken-at-home"} if kind == "JPEG" else {})
    )
    file.seek(0)
    file.name = "logo.png"
    return file


def test_a_logo_is_written_anew_and_public(cast):
    upload = picture("JPEG")
    upload.seek(0, io.SEEK_END)
    upload.write(b"<script>alert(1)</script>")
    upload.seek(0)
    assert b"taken-at-home" in upload.getvalue()
    assert web(cast.ada).post("/settings/branding/logo/", {"logo": upload}).status_code == 302
    with workspace_scope(cast.workspace.pk):
        logo = BrandLogo.objects.get()
    address = f"/brand/{cast.workspace.public_id}/{logo.public_id}.png"
    answer = Client().get(address)
    assert answer.headers["Content-Type"] == "image/png"
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"script" not in answer.content and b"taken-at-home" not in answer.content
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    other = f"/brand/{cast.other.public_id}/{logo.public_id}.png"
    assert Client().get(other).status_code == 404


@pytest.mark.parametrize(
    "content", [b"<svg onload=alert(1)>", b"", b"GIF89a" + b"0" * 40, b"\x89PNG\r\n\x1a\n" + b"x" * 50]
)
def test_what_is_no_picture_is_refused(cast, content):
    upload = io.BytesIO(content)
    upload.name = "logo.png"
    answer = web(cast.ada).post("/settings/branding/logo/", {"logo": upload})
    assert answer.status_code == 422
    with workspace_scope(cast.workspace.pk):
        assert not BrandLogo.objects.exists()


BRAND = {"from_name": "Acme Care", "from_address": "care@acme.example", "reply_to": "csm", "colour": "#ABC"}


def test_a_senders_address_is_used_after_its_mailbox_agreed(cast):
    assert web(cast.ada).post("/settings/branding/", BRAND).status_code == 302
    run_due_jobs(limit=5, kind=mail.SEND_JOB)
    [asked] = outbox.outbox
    assert asked.to == ["care@acme.example"]
    link = next(line for line in asked.body.splitlines() if "/sender/" in line).partition("/sender/")[2]
    assert Client().get(f"/sender/{link}").status_code == 200
    with workspace_scope(cast.workspace.pk):
        branding = MailBranding.objects.get()
        assert (branding.from_confirmed_at, branding.colour) == (None, "#aabbcc")
    assert Client().post(f"/sender/{link}").status_code == 200
    with workspace_scope(cast.workspace.pk):
        assert MailBranding.objects.get().from_confirmed_at
    web(cast.ada).post("/settings/branding/", {**BRAND, "from_address": "other@acme.example"})
    with workspace_scope(cast.workspace.pk):
        assert MailBranding.objects.get().from_confirmed_at is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from_address", "acme@gmail.com"),
        ("from_address", "nobody"),
        ("colour", "red"),
        ("colour", "#12345g"),
        ("from_name", "Acme <boss@acme.example>"),
        ("reply_to", "fixed"),
    ],
)
def test_wrong_branding_is_refused(cast, field, value):
    answer = web(cast.ada).post("/settings/branding/", {**BRAND, field: value})
    assert answer.status_code == 422
    with workspace_scope(cast.workspace.pk):
        assert not MailBranding.objects.exists()


def write(cast, account, **values):
    with workspace_scope(cast.workspace.pk):
        contact = account.contacts.get()
    data = {
        "contact": contact.public_id,
        "text": "",
        "subject": "Hello",
        "body": "Words",
        "do": "send",
        **values,
    }
    return web(cast.ben.user).post(f"/accounts/{account.public_id}/mail/", data, follow=True)


@pytest.fixture
def account(cast):
    with workspace_scope(cast.workspace.pk):
        account = make_account("Northwind", csm=cast.ben)
        make_contact(account)
        return account


def test_a_mail_to_a_person_waits_thirty_seconds_and_can_be_taken_back(cast, account):
    answer = write(cast, account)
    assert answer.status_code == 200
    with workspace_scope(cast.workspace.pk):
        email = OutboundEmail.objects.get()
        assert email.not_before > timezone.now()
        assert (email.reply_to, email.from_name) == ("ben@example.com", "Ben (Acme)")
    assert run_due_jobs(limit=5, kind=mail.SEND_JOB) == 0
    web(cast.ben.user).post(f"/mails/{email.public_id}/withdrawals/")
    with workspace_scope(cast.workspace.pk):
        assert OutboundEmail.objects.get().status == "canceled"


def test_a_text_that_is_left_alone_goes_as_its_version(cast, account):
    with workspace_scope(cast.workspace.pk):
        text = MailText.objects.get(key="introduction")
    client = web(cast.ben.user)
    form = client.get(f"/accounts/{account.public_id}/mail/?text={text.public_id}").context["form"]
    words = {"subject": form["subject"].value(), "body": form["body"].value()}
    assert "Hi Mina" in words["body"]
    write(
        cast, account, text=text.public_id, subject=words["subject"], body=words["body"].replace("\n", "\r\n")
    )
    with workspace_scope(cast.workspace.pk):
        email = OutboundEmail.objects.get()
        assert email.text_version is not None
        assert "written" not in email.context


def test_own_words_survive_another_choice(cast, account):
    with workspace_scope(cast.workspace.pk):
        text = MailText.objects.get(key="introduction")
        contact = account.contacts.get()
    data = {
        "contact": contact.public_id,
        "text": text.public_id,
        "subject": "Mine",
        "body": "Own",
        "do": "fill",
    }
    answer = web(cast.ben.user).post(f"/accounts/{account.public_id}/mail/", data)
    assert answer.context["form"]["body"].value() == "Own"


def test_the_form_says_when_the_mail_would_not_go(cast, account):
    with workspace_scope(cast.workspace.pk):
        mail.suppress("mina@northwind.example", reason="complaint")
    answer = web(cast.ben.user).get(f"/accounts/{account.public_id}/mail/")
    assert "It would not be sent" in answer.content.decode()


def test_a_mistake_in_a_mail_keeps_the_words(cast, account):
    answer = write(cast, account, body="See [this](javascript:alert(1))")
    assert answer.status_code == 422
    assert "is no address for a mail" in answer.content.decode()
    assert "See [this]" in answer.content.decode()


def test_what_was_sent_can_be_seen_again(cast, account):
    write(cast, account, body="Own *words* for {{ contact.first_name }}")
    with workspace_scope(cast.workspace.pk):
        email = OutboundEmail.objects.get()
    client = web(cast.vera.user)
    assert client.get(f"/mails/{email.public_id}/").status_code == 200
    assert "<em>words</em> for Mina" in client.get(f"/mails/{email.public_id}/frame/").content.decode()


def test_public_pages_wear_the_logo_and_the_colour(cast):
    web(cast.ada).post("/settings/branding/logo/", {"logo": picture()})
    web(cast.ada).post("/settings/branding/", BRAND)
    run_due_jobs(limit=5, kind=mail.SEND_JOB)
    link = next(line for line in outbox.outbox[0].body.splitlines() if "/sender/" in line).partition(
        "/sender/"
    )[2]
    body = Client().get(f"/sender/{link}").content.decode()
    assert f"/brand/{cast.workspace.public_id}/" in body
    assert "/brand/colours/aabbcc.css" in body
    css = Client().get("/brand/colours/aabbcc.css").content.decode()
    assert "--color-primary:#" in css
    assert Client().get("/brand/colours/red;x.css").status_code == 404


def test_the_demo_has_a_look_of_its_own(db):
    workspace = prepare_demo_workspace()
    with workspace_scope(workspace.pk):
        assert MailBranding.objects.select_related("logo").get().logo is not None
        assert not OutboundEmail.objects.exists()
