"""Runs of a sequence under a worker that is killed again and again: each effect once, each mail once or doubtful."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, AccountTrait, Activity, Contact, Job, MailText, OutboundEmail
from cs_platform.embedded.valkey import Valkey
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountState, QueueItem, SequenceRun, SequenceVersion, StepRun
from health.services.sequence_plans import publish
from health.services.sequence_runs import RUN_JOB
from tests.builders import NOW, TODAY, expire_leases
from tests.health.sequences.builders import ASK, CHANGE, definition, mail_step, make_sequence, make_text
from tests.stack import REPOSITORY
from tests.workbench.sequence_steps import KIND, NAME
from tests.workers import RealWorker

pytestmark = [pytest.mark.worker, pytest.mark.slow]
NOTE = {"kind": NAME}
PAUSE = {"kind": "wait", "amount": 30, "unit": "days"}
# SEQUENCE_KILLS="1000 20" sets runs and kills of the quick form.
QUICK = tuple(int(word) for word in os.environ.get("SEQUENCE_KILLS", "100 5").split())
EFFECTS = 6  # steps with an effect in the sequence below


class QuickWorker(RealWorker):
    """Does not wait for Celery: work is found by polling, and kills come sooner."""

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker", "--processes", "2"],
            cwd=REPOSITORY,
            env=os.environ | {"CS_PROCESS": "worker"},
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(40)
            self.process = None


@pytest.fixture
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the worker's mails are written, one file each."""
    monkeypatch.setenv("EMAIL_URL", f"file:{tmp_path}")
    return tmp_path


@pytest.fixture
def worker(transactional_db: None, valkey: Valkey, outbox: Path) -> Iterator[QuickWorker]:
    made = QuickWorker()
    yield made
    made.stop()


def make_customers(count: int) -> None:
    accounts = Account.objects.bulk_create(
        Account(external_id=f"a{n}", name=f"Account {n}", created_at=NOW) for n in range(count)
    )
    AccountState.objects.bulk_create(
        AccountState(account=a, as_of=TODAY, is_customer=True, name=a.name, currency="USD") for a in accounts
    )
    Contact.objects.bulk_create(
        Contact(
            account=a,
            external_id=a.external_id,
            email=f"{a.external_id}@example.com",
            name="Mina",
            is_champion=True,
            created_at=NOW,
        )
        for a in accounts
    )


def begin_all(sequence: Any, now: Any) -> None:
    """As enrolment does, in bulk: runs and their jobs."""
    version = SequenceVersion.objects.get(sequence=sequence)
    runs = SequenceRun.objects.bulk_create(
        SequenceRun(sequence=sequence, version=version, account=a, source=f"hand:{a.pk}", started_at=now)
        for a in Account.objects.all()
    )
    for run in runs:
        Job.objects.put(RUN_JOB, run.pk)


def open_jobs() -> Any:
    return Job.objects.filter(due_at__lte=timezone.now() + timedelta(days=1))


def in_hand() -> int:
    return Job.objects.filter(lease_until__isnull=False).count()


def kill_often(worker: QuickWorker, kills: int, dice: random.Random) -> int:
    """Kill the whole worker at random moments while it works; returns the jobs that were orphaned."""
    orphaned = 0
    for _ in range(kills):
        worker.start()
        RealWorker.wait_for(lambda: in_hand() > 0 or not open_jobs().exists(), 60)
        time.sleep(dice.uniform(0, 0.5))
        worker.kill()
        orphaned += in_hand()
        expire_leases()
    return orphaned


def let_the_wait_pass(now: Any) -> None:
    """As if thirty days had gone by."""
    SequenceRun.objects.filter(state="waiting").update(next_due=now, wait_ends=now)
    Job.objects.filter(kind=RUN_JOB).update(due_at=now)


def delivered(outbox: Path) -> Counter[str]:
    found = re.compile(r"^Message-ID:\s+(\S+)", re.MULTILINE)  # long ones are folded
    return Counter(
        match for file in outbox.iterdir() for match in found.findall(file.read_text(errors="replace"))
    )


@pytest.mark.parametrize(("runs", "kills"), [QUICK, pytest.param(10_000, 100, marks=pytest.mark.soak)])
def test_each_effect_once_whoever_is_killed(
    worker: QuickWorker, cast: Any, outbox: Path, runs: int, kills: int
) -> None:
    seed, patience = random.randrange(10_000), max(900.0, runs * 0.4)
    dice, began = random.Random(seed), time.monotonic()
    scope = lambda: workspace_scope(cast.workspace.pk)  # noqa: E731
    with scope():
        make_customers(runs)
        text = make_text()
        MailText.objects.update(mail_class="transactional")  # goes out at any hour
        sequence = make_sequence(NOTE, mail_step(text), NOTE, PAUSE, ASK, CHANGE, NOTE, now=timezone.now())
        begin_all(sequence, timezone.now())
    orphaned = kill_often(worker, kills // 2, dice)
    worker.start()
    RealWorker.wait_for(lambda: not open_jobs().exists(), patience)
    with scope():
        assert SequenceRun.objects.filter(state="waiting").count() == runs
        publish(
            sequence=sequence, definition=definition(ASK), note="", acting_user=None, now=timezone.now()
        )  # running runs keep the version they began with
        worker.kill()
        let_the_wait_pass(timezone.now())
    expire_leases()
    orphaned += kill_often(worker, kills - kills // 2, dice)
    worker.start()
    RealWorker.wait_for(lambda: not open_jobs().exists(), patience)
    seconds = time.monotonic() - began
    sent = delivered(outbox)
    with scope():
        statuses = Counter(OutboundEmail.objects.values_list("status", flat=True))
        doubtful = set(OutboundEmail.objects.filter(status="doubtful").values_list("message_id", flat=True))
        print(
            f"seed {seed}: {runs} runs, {kills} kills, {orphaned} orphaned, mails {dict(statuses)}, {seconds:.0f} s"
        )
        assert orphaned, "no kill hit a job in hand: the run proves nothing"
        assert Counter(SequenceRun.objects.values_list("state", flat=True)) == {"done": runs}
        assert Counter(StepRun.objects.values_list("state", flat=True)) == {"done": runs * (EFFECTS + 1)}
        assert Activity.objects.filter(kind=KIND).count() == 3 * runs
        assert QueueItem.objects.count() == runs and AccountTrait.objects.count() == runs
        assert OutboundEmail.objects.count() == runs
        assert set(statuses) <= {"sent", "doubtful"} and statuses["doubtful"] <= 4 * kills
        known = set(OutboundEmail.objects.values_list("message_id", flat=True))
    assert max(sent.values()) == 1, "a mail went out twice"
    assert known - doubtful <= set(sent) <= known, "a mail was lost"
