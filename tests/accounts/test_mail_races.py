"""At the same moment: an unsubscription against a sending, two mails to one person."""

import random
import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from accounts.models import OutboundEmail
from accounts.services import mail
from accounts.services.jobs import run_due_jobs
from accounts.services.mail_links import choice_links
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.mails import path_of, queue_letter, register_kind, sent_mail
from tests.builders import make_account, make_contact

OPEN_AT = datetime(2026, 11, 17, 10, tzinfo=UTC)
ONE_CLICK = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}


@pytest.fixture
def office_hours(monkeypatch, settings, tmp_path):
    register_kind(monkeypatch, settings, tmp_path)

    class Clock:
        """Tuesday, and it goes on."""

        began = time.monotonic()

        @classmethod
        def now(cls):
            from datetime import timedelta

            return OPEN_AT + timedelta(seconds=time.monotonic() - cls.began)

    monkeypatch.setattr(mail, "timezone", Clock)
    monkeypatch.setattr("accounts.views.mail_choices.timezone", Clock)


def at_once(*calls):
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        try:
            call()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def race(cast, monkeypatch, number):
    """Moments of the answer to the unsubscription and of the mail, if one went."""
    with workspace_scope(cast.workspace.pk):
        contact = make_contact(make_account(f"Firm {number}"))
        old = sent_mail(contact, begun_at=datetime(2026, 11, 1, tzinfo=UTC))
        path = path_of(choice_links(old)["unsubscribe_url"])
        queue_letter(contact)
    sent: list[float] = []
    answered: list[float] = []

    def hand_over(message):
        time.sleep(random.uniform(0, 0.03))
        sent.append(time.monotonic())

    monkeypatch.setattr(mail, "send", hand_over)

    # Each has a clear lead now and then, so that a slow machine sees both orders too.
    leads = {0: (0.4, 0.0), 1: (0.0, 0.4)}.get(number % 10, (0.0, 0.0))

    def send():
        time.sleep(leads[0])
        run_due_jobs(limit=1, kind=mail.SEND_JOB)

    def unsubscribe():
        time.sleep(leads[1] + random.uniform(0, 0.03))
        assert Client().post(path, **ONE_CLICK).status_code == 200
        answered.append(time.monotonic())

    at_once(send, unsubscribe)
    assert len(answered) == 1
    return answered[0], sent


def races(cast, monkeypatch, count):
    """How many mails went before the answer, and how many after it."""
    late = went = 0
    for number in range(count):
        answered, sent = race(cast, monkeypatch, number)
        went += len(sent)
        late += sum(moment > answered for moment in sent)
    print(f"\nraces {count}, mails that went before {went}, after the answer {late}")
    return went, late


@pytest.mark.slow
def test_no_mail_comes_after_the_answer_to_an_unsubscription(
    transactional_db, cast, monkeypatch, office_hours
):
    went, late = races(cast, monkeypatch, 50)
    assert late == 0
    assert 0 < went < 50, "both ways round were tried"


@pytest.mark.soak
def test_a_thousand_races(transactional_db, cast, monkeypatch, office_hours):
    _went, late = races(cast, monkeypatch, 1000)
    assert late == 0


def test_two_mails_at_once_do_not_both_pass_the_floor(transactional_db, cast, monkeypatch, office_hours):
    monkeypatch.setattr(mail, "send", lambda message: time.sleep(0.005) or "")
    for number in range(15):
        with workspace_scope(cast.workspace.pk):
            contact = make_contact(make_account(f"Firm {number}"))
            for _ in range(3):
                queue_letter(contact)
        work = [lambda: run_due_jobs(limit=1, kind=mail.SEND_JOB)] * 3
        at_once(*work)
        with workspace_scope(cast.workspace.pk):
            mails = OutboundEmail.objects.filter(contact=contact)
            assert sorted(mails.values_list("status", "held_reason")) == [
                ("queued", "floor"),
                ("queued", "floor"),
                ("sent", ""),
            ]
