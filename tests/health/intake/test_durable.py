"""An answer of 200 means durable: killed web servers and restarted databases lose and double nothing."""

import json
import random
import signal
import threading
import time
from collections import Counter
from typing import Any

import psycopg
import pytest
from django.db import connections

from accounts.services.workspaces import create_api_key
from cs_platform.embedded.postgres import OWNER_ROLE
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountDay, Event
from health.services.fold import fold_workspace
from tests.conftest import Cast
from tests.health.intake.web import RealWeb, ask, real_web
from tests.stack import STACK

__all__ = ["real_web"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]
BATCH = 20
LOST_EVERY = 7


@pytest.fixture
def key(cast: Cast) -> str:
    with workspace_scope(cast.workspace.pk):
        return str(create_api_key(workspace=cast.workspace, scope="write", acting_user=None)[1])


@pytest.fixture
def commits_on_disk() -> Any:
    """The test cluster does not wait for its log; here it must, as in production."""
    with STACK.postgres.connect() as connection:
        connection.execute(f"ALTER ROLE {OWNER_ROLE} SET synchronous_commit = on")
    yield
    with STACK.postgres.connect() as connection:
        connection.execute(f"ALTER ROLE {OWNER_ROLE} RESET synchronous_commit")


def message(identity: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Report Created",
        "userId": "u1",
        "messageId": identity,
        "timestamp": f"2026-11-{1 + hash(identity) % 20:02}T10:00:00Z",
    }


class Sender(threading.Thread):
    """Sends batches until told to stop. What gets no answer is sent again, as a client library does.

    Every LOST_EVERY-th answer gets lost on its way: what was stored is sent a second time.
    """

    def __init__(self, port: int, key: str, name: str) -> None:
        super().__init__(daemon=True)
        self.port, self.key, self.prefix = port, key, name
        self.stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.answers: Counter[int] = Counter()
        self.found_again = 0

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            identities = [f"{self.prefix}-{number}-{place}" for place in range(BATCH)]
            body = {"batch": [message(identity) for identity in identities]}
            if number % LOST_EVERY == 0:
                self._send(body)
            while not self._send(body):
                time.sleep(0.05)
            self.acknowledged += identities
            number += 1

    def _send(self, body: dict[str, Any]) -> bool:
        try:
            status, _, answer = ask(self.port, "POST", "/v1/batch", body, self.key)
        except OSError:
            status = 0
        self.answers[status] += 1
        if status == 200:
            self.found_again += json.loads(answer)["duplicates"]
        return status == 200


@pytest.mark.parametrize(
    ("kills", "crashes"), [(3, 1), pytest.param(30, 5, marks=pytest.mark.soak)], ids=["quick", "long"]
)
def test_what_was_acknowledged_is_there_exactly_once(
    cast: Cast, key: str, commits_on_disk: None, real_web: RealWeb, kills: int, crashes: int
) -> None:
    """kill -9 of all web processes and crashes of the database, in random order, while four clients send."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    senders = [Sender(real_web.port, key, f"s{number}") for number in range(4)]
    for sender in senders:
        sender.start()
    turns = ["kill"] * kills + ["crash"] * crashes
    chance.shuffle(turns)
    for turn in turns:
        time.sleep(chance.uniform(0.3, 0.9))
        if turn == "crash":
            restart_postgres()
        else:
            real_web.kill()
            real_web.start()
    time.sleep(0.5)
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join(30)
        assert not sender.is_alive()
    acknowledged = [identity for sender in senders for identity in sender.acknowledged]
    answers = sum((sender.answers for sender in senders), Counter())
    found_again = sum(sender.found_again for sender in senders)
    print(
        f"{kills} kills, {crashes} crashes: {len(acknowledged)} events acknowledged, {found_again} of them found"
    )
    print(f"stored already when they were sent again; answers {dict(answers)}")
    assert set(answers) <= {0, 200, 503}
    assert answers[0], "no request was cut off: the test proved nothing"
    with workspace_scope(cast.workspace.pk):
        assert Event.objects.count() == len(acknowledged) == len(set(acknowledged))
    assert found_again, "nothing that was stored was sent again: the test proved too little"
    fold_workspace(cast.workspace.pk)
    with workspace_scope(cast.workspace.pk):
        assert not AccountDay.objects.exists()  # nobody knows this user yet


def restart_postgres() -> None:
    """Immediate: as a crash, without a checkpoint."""
    connections.close_all()
    assert STACK.postgres.process is not None
    STACK.postgres.process.send_signal(signal.SIGQUIT)
    STACK.postgres.process.wait(20)
    STACK.postgres.start()


def test_without_postgres_the_answer_is_a_quick_503(cast: Cast, key: str, real_web: RealWeb) -> None:
    assert ask(real_web.port, "POST", "/v1/track", message("before"), key)[0] == 200
    connections.close_all()
    STACK.postgres.stop()
    try:
        for _ in range(6):
            started = time.monotonic()
            status, headers, body = ask(real_web.port, "POST", "/v1/track", message("during"), key)
            assert time.monotonic() - started <= 1.5  # one second, and a busy machine
            assert (status, headers["Retry-After"]) == (503, "1")
            assert headers["Content-Type"] == "application/problem+json"
            assert b"u1" not in body
    finally:
        STACK.postgres.start()
    deadline = time.monotonic() + 15
    while ask(real_web.port, "POST", "/v1/track", message("after"), key)[0] != 200:
        assert time.monotonic() < deadline, "no recovery within 15 seconds"
        time.sleep(0.1)
    with workspace_scope(cast.workspace.pk):
        assert Event.objects.count() == 2


def test_a_locked_table_ends_in_503_instead_of_a_hang(cast: Cast, key: str, real_web: RealWeb) -> None:
    with psycopg.connect(host=str(STACK.postgres.sockets), user=OWNER_ROLE, dbname="cs_platform") as blocker:
        blocker.execute("LOCK TABLE health_event IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        assert ask(real_web.port, "POST", "/v1/track", message("x"), key)[0] == 503
        assert time.monotonic() - started < 4
    assert ask(real_web.port, "POST", "/v1/track", message("x"), key)[0] == 200
