"""Send once: workers are killed at any moment while they hand mails to a real SMTP server."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection

from accounts.models import Contact, Job, OutboundEmail
from accounts.services.mail import SEND_JOB, queue_mail
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.fake_smtp import KEY_HEADER, FakeSmtp
from tests.accounts.mail_workers import KIND, register
from tests.builders import NOW, make_account
from tests.stack import REPOSITORY

CONTEXT = {"link": "https://example.com/", "invited_by": "Ada", "days": 3}


class Workers:
    """Sending processes, restarted by their parent as often as they are killed."""

    def __init__(self, url: str, *, keyed: bool, count: int) -> None:
        environment = os.environ | {
            "EMAIL_URL": url,
            "CS_PROCESS": "worker",
            "DJANGO_SETTINGS_MODULE": "cs_platform.settings",
            "MAIL_IDEMPOTENCY_HEADER": KEY_HEADER if keyed else "",
            "LOG_LEVEL": "CRITICAL",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.count = count
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.mail_workers", str(count)],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pids: list[int] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.pids = [*self.pids, int(line)][-self.count :]

    def kill_one(self) -> None:
        victim = random.choice(self.pids)
        self.pids = [pid for pid in self.pids if pid != victim]
        os.kill(victim, signal.SIGKILL)
        time.sleep(0.02)
        with connection.cursor() as cursor:  # as if its lease had run out; its own, not those of the living
            cursor.execute(
                "UPDATE accounts_job SET lease_until = '2000-01-01' WHERE lease_owner LIKE %s",
                [f"%:{victim}:%"],
            )

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def queue_mails(cast, count):
    register()
    with workspace_scope(cast.workspace.pk):
        account = make_account()
        for number in range(count):
            contact = Contact.objects.create(
                account=account, external_id=f"c{number}", email=f"p{number}@x.example", created_at=NOW
            )
            queue_mail(KIND, to_address=contact.email, context=CONTEXT, language="en", contact=contact)


def send_under_fire(cast, folder, *, mails, kills, keyed):
    """Returns the ledger's counts by recipient, and our own states by address."""
    queue_mails(cast, mails)
    server = FakeSmtp(folder, takes_keys=keyed, pause=0.01)
    workers = Workers(server.url, keyed=keyed, count=3)
    try:
        done, deadline = 0, time.monotonic() + 60 + mails / 10 + kills
        while Job.objects.filter(kind=SEND_JOB, parked_at__isnull=True).exists():
            assert time.monotonic() < deadline, "the mails are not sent in time"
            # Kills are spread over the whole run, by how much of it is done.
            left = Job.objects.filter(kind=SEND_JOB).count()
            due = kills * (1 - left / mails)
            if workers.pids and done < kills and done <= due:
                workers.kill_one()
                done += 1
            time.sleep(random.uniform(0, 0.05))
        assert done >= kills * 0.9, done
    finally:
        workers.stop()
        server.stop()
    with workspace_scope(cast.workspace.pk):
        states = dict(OutboundEmail.objects.values_list("to_address", "status"))
    return server.delivered(), states, done


def judge(delivered, states, kills, *, keyed):
    doubtful = [address for address, state in states.items() if state == "doubtful"]
    twice = [address for address, count in delivered.items() if count > 1]
    lost = [address for address, state in states.items() if state == "sent" and not delivered[address]]
    print(
        f"\nmails {len(states)}, kills {kills}, delivered {len(delivered)}, twice {len(twice)}, lost {len(lost)},"
        f" doubtful {len(doubtful)}"
    )
    assert set(states.values()) <= {"sent", "doubtful"}
    assert (twice, lost) == ([], [])
    if keyed:
        assert doubtful == [] and len(delivered) == len(states)
    else:
        assert len(doubtful) <= kills


@pytest.mark.slow
@pytest.mark.worker
@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])
def test_killed_workers_lose_and_double_nothing(transactional_db, cast, tmp_path, keyed):
    delivered, states, kills = send_under_fire(cast, tmp_path, mails=200, kills=3, keyed=keyed)
    judge(delivered, states, kills, keyed=keyed)


@pytest.mark.soak
@pytest.mark.worker
@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])
def test_ten_thousand_mails_and_a_hundred_kills(transactional_db, cast, tmp_path, keyed):
    delivered, states, kills = send_under_fire(cast, tmp_path, mails=10_000, kills=100, keyed=keyed)
    judge(delivered, states, kills, keyed=keyed)


def test_the_fake_server_keeps_what_it_has_taken(tmp_path):
    import smtplib

    server = FakeSmtp(tmp_path, takes_keys=True)
    try:
        for _ in range(2):
            with smtplib.SMTP("127.0.0.1", server.port) as client:
                client.sendmail("a@x.example", ["b@x.example"], f"{KEY_HEADER}: k1\r\n\r\nhello")
        assert (server.delivered()["b@x.example"], server.replays) == (1, 1)
    finally:
        server.stop()
