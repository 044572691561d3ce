"""A mail is a row first; a crash never loses it and never sends it twice unseen."""

import pytest
from django.core import mail as outbox

from accounts.gateways.mail import MailError
from accounts.models import Job, OutboundEmail
from accounts.registry import MailKind, mail_kinds
from accounts.services import mail
from accounts.services.jobs import claim, run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.builders import expire_leases

KIND = "test.hello"


@pytest.fixture(autouse=True)
def kind(monkeypatch, settings, tmp_path):
    """A mail kind with templates of its own: `kind(resend_when_doubtful=True)`."""
    (tmp_path / "hello-subject.txt").write_text("Hello {{ name }}")
    for ending in ("txt", "html"):
        (tmp_path / f"hello-body.{ending}").write_text("Dear {{ name }}")
    engine = {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    settings.TEMPLATES = [engine]

    def register(**options):
        made = MailKind(KIND, "transactional", "hello-subject.txt", "hello-body", **options)
        monkeypatch.setitem(mail_kinds._items, KIND, made)

    register()
    return register


def queue(cast):
    with workspace_scope(cast.workspace.pk):
        return mail.queue_mail(
            KIND, to_address="mina@example.com", context={"name": "Mina <b>"}, language="en"
        )


def drain():
    return run_due_jobs(limit=5, kind=mail.SEND_JOB)


def status(cast, email):
    with workspace_scope(cast.workspace.pk):
        return OutboundEmail.objects.get(pk=email.pk).status


def crash_while_sending(monkeypatch, *, after):
    """The process dies around the hand-over: the mail is out or not, nothing after it happens."""

    def die(message):
        if after:
            outbox.outbox.append(message)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mail, "send", die)
        with pytest.raises(KeyboardInterrupt):
            drain()
    expire_leases()


def test_a_mail_is_sent_once_in_its_language_and_escaped(cast):
    email = queue(cast)
    assert drain() == 1
    assert drain() == 0
    assert status(cast, email) == "sent"
    [sent] = outbox.outbox
    assert sent.subject == "Hello Mina <b>"
    assert sent.alternatives[0].content == "Dear Mina &lt;b&gt;"


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_around_the_hand_over_leaves_it_doubtful(cast, monkeypatch, after):
    email = queue(cast)
    crash_while_sending(monkeypatch, after=after)
    drain()
    assert status(cast, email) == "doubtful"
    assert len(outbox.outbox) == int(after), "never a second time"


def test_kinds_that_say_so_are_sent_again_under_the_same_message_id(cast, monkeypatch, kind):
    kind(resend_when_doubtful=True)
    email = queue(cast)
    crash_while_sending(monkeypatch, after=False)
    with workspace_scope(cast.workspace.pk):
        first_id = OutboundEmail.objects.get(pk=email.pk).message_id
    drain()
    assert status(cast, email) == "sent"
    assert outbox.outbox[0].extra_headers["Message-ID"] == first_id


def test_a_suppressed_address_gets_nothing(cast):
    email = queue(cast)
    with workspace_scope(cast.workspace.pk):
        mail.suppress(" Mina@Example.com", reason="hard_bounce")
    drain()
    assert (status(cast, email), outbox.outbox) == ("suppressed", [])


def test_a_mail_that_is_no_longer_wanted_is_not_sent(cast, kind):
    kind(still_wanted=lambda email: False)
    email = queue(cast)
    drain()
    assert (status(cast, email), outbox.outbox) == ("suppressed", [])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MailError("recipient_refused", permanent=True), "failed"),
        (MailError("unreachable", permanent=False), "queued"),
        (MailError("no_answer", permanent=False, unknown=True), "doubtful"),
    ],
)
def test_each_error_leads_to_its_state(cast, monkeypatch, error, expected):
    email = queue(cast)

    def refuse(message):
        raise error

    monkeypatch.setattr(mail, "send", refuse)
    drain()
    assert status(cast, email) == expected


def test_a_stopped_worker_that_wakes_up_sends_nothing(cast):
    queue(cast)
    slow = claim(kind=mail.SEND_JOB)
    expire_leases()
    drain()
    with pytest.raises(Exception, match="send_email"):
        mail.send_email(slow)
    assert len(outbox.outbox) == 1


def test_a_mail_that_could_not_be_rendered_is_not_doubtful(cast, monkeypatch):
    """Nothing was handed over, so it waits, and goes when its words are mended."""
    email = queue(cast)

    def fail(email):
        raise ValueError("a bad template")

    with monkeypatch.context() as patch:
        patch.setattr(mail, "_message", fail)
        drain()
    assert (status(cast, email), outbox.outbox) == ("queued", [])
    Job.objects.update(due_at=email.created_at)
    drain()
    assert status(cast, email) == "sent"
