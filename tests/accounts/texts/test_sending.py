"""A text becomes a mail: its version, its language, its values, its sender; and undo before it leaves."""

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.utils import timezone

from accounts.models import Activity, Job, MailBranding, MailText, MailTextVersion, OutboundEmail
from accounts.services import mail
from accounts.services.jobs import run_due_jobs
from accounts.services.mail_rendering import render
from accounts.services.mail_texts import NotPublished, TooLate, queue_text_mail, take_back
from accounts.services.versions import publish
from cs_platform.lib.scoping import workspace_scope
from tests.builders import make_account, make_contact

BOTH = {
    "en": {
        "subject": "For {{ account.name }}",
        "body": "Hi {{ contact.first_name }}, I am {{ sender.name }}.",
    },
    "ko": {"subject": "{{ account.name }} 안내", "body": "{{ contact.name }}님, 안녕하세요."},
}


def make_text(definition=BOTH, *, key="hello", **fields):
    text = MailText.objects.create(
        key=key, name="Hello", mail_class=fields.pop("mail_class", "transactional"), **fields
    )
    publish_text(text, definition)
    return text


def publish_text(text, definition):
    return publish(
        MailTextVersion, parent=text, definition=definition, note="", acting_user=None, now=timezone.now()
    )


def drain():
    return run_due_jobs(limit=9, kind=mail.SEND_JOB)


def send(cast, contact, text, **options):
    with workspace_scope(cast.workspace.pk):
        return queue_text_mail(
            text=text, contact=contact, acting_user=cast.ben.user, now=timezone.now(), **options
        )


@pytest.fixture
def placed(cast):
    with workspace_scope(cast.workspace.pk):
        return make_contact(make_account("Northwind", csm=cast.ben)), make_text()


def test_a_text_goes_out_with_its_values(cast, placed):
    contact, text = placed
    email = send(cast, contact, text)
    drain()
    [sent] = outbox.outbox
    assert sent.subject == "For Northwind"
    assert sent.body.startswith("Hi Mina, I am Ben.")
    assert sent.from_email.startswith("Acme <")
    assert sent.reply_to == ["ben@example.com"]
    assert "Hi Mina, I am Ben." in sent.alternatives[0].content
    with workspace_scope(cast.workspace.pk):
        row = OutboundEmail.objects.get(pk=email.pk)
        assert row.status == "sent"
        assert row.context["values"] == {
            "account.name": "Northwind",
            "contact.first_name": "Mina",
            "sender.name": "Ben",
        }
        activity = Activity.objects.get(source_id=email.pk)
        assert (activity.contact_id, activity.is_touch) == (contact.pk, False)


def test_it_is_written_in_the_language_of_the_person(cast, placed):
    contact, text = placed
    with workspace_scope(cast.workspace.pk):
        contact.language, contact.name = "ko", "김민지"
        contact.save()
    send(cast, contact, text)
    drain()
    assert outbox.outbox[0].subject == "Northwind 안내"
    assert outbox.outbox[0].body.startswith("김민지님, 안녕하세요.")
    assert 'lang="ko"' in outbox.outbox[0].alternatives[0].content


def test_a_language_that_is_not_written_falls_back_to_the_workspaces(cast, placed):
    contact, _ = placed
    with workspace_scope(cast.workspace.pk):
        only_english = make_text({"en": BOTH["en"]}, key="en-only")
        contact.language = "ko"
        contact.save()
    email = send(cast, contact, only_english)
    assert email.language == "en"


def test_a_queued_mail_keeps_the_version_it_began_with(cast, placed):
    contact, text = placed
    send(cast, contact, text)
    with workspace_scope(cast.workspace.pk):
        publish_text(text, {"en": {"subject": "New", "body": "New words"}})
    drain()
    assert outbox.outbox[0].subject == "For Northwind"


def test_shown_again_it_says_what_it_said(cast, placed):
    contact, text = placed
    email = send(cast, contact, text)
    drain()
    with workspace_scope(cast.workspace.pk):
        contact.name = "Somebody Else"
        contact.save()
        again = render(OutboundEmail.objects.get(pk=email.pk))
    assert again.text == outbox.outbox[0].body
    assert again.subject == outbox.outbox[0].subject


def test_values_that_the_asker_hands_along_win(cast, placed):
    contact, text = placed
    send(cast, contact, text, context_extra={"account.name": "Northwind Ltd"})
    drain()
    assert outbox.outbox[0].subject == "For Northwind Ltd"


def test_a_text_without_a_version_in_force_is_refused(cast, placed):
    contact, _ = placed
    with workspace_scope(cast.workspace.pk):
        draft = MailText.objects.create(key="draft", name="Draft")
    with pytest.raises(NotPublished):
        send(cast, contact, draft)


def test_taken_back_in_time_it_never_leaves(cast, placed):
    contact, text = placed
    email = send(cast, contact, text, delay=timedelta(seconds=30))
    assert drain() == 0
    with workspace_scope(cast.workspace.pk):
        take_back(email=email, acting_user=cast.ben.user)
    Job.objects.update(due_at=timezone.now() - timedelta(hours=1))
    drain()
    assert outbox.outbox == []
    with workspace_scope(cast.workspace.pk):
        assert OutboundEmail.objects.get(pk=email.pk).status == "canceled"
        assert not Activity.objects.exists()


def test_a_mail_that_left_cannot_be_taken_back(cast, placed):
    contact, text = placed
    email = send(cast, contact, text)
    drain()
    with workspace_scope(cast.workspace.pk), pytest.raises(TooLate):
        take_back(email=email, acting_user=cast.ben.user)


def test_only_a_confirmed_sender_address_is_used(cast, placed):
    contact, text = placed
    with workspace_scope(cast.workspace.pk):
        MailBranding.objects.create(
            from_name="Acme Care",
            from_address="care@acme.example",
            reply_to="fixed",
            reply_to_address="r@acme.example",
        )
    send(cast, contact, text)
    drain()
    assert "care@acme.example" not in outbox.outbox[0].from_email
    assert outbox.outbox[0].reply_to == ["r@acme.example"]
    with workspace_scope(cast.workspace.pk):
        MailBranding.objects.update(from_confirmed_at=timezone.now())
    send(cast, contact, text)
    drain()
    assert outbox.outbox[1].from_email == "Acme Care <care@acme.example>"
