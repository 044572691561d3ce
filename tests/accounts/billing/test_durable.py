"""What was answered with 2xx is in the inbox, whatever dies: kill -9 of all web processes during a flood."""

import http.client
import json
import os
import random
import threading
import time
from collections import Counter

import pytest
from django.utils import timezone

from accounts.gateways.stripe.events import sign
from accounts.models import BillingMessage, Job
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import SECRET, connect
from tests.health.intake.test_durable import commits_on_disk
from tests.health.intake.web import RealWeb, real_web

__all__ = ["commits_on_disk", "real_web"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]
CLIENTS = 16


class Sender(threading.Thread):
    """Delivers messages as Stripe does: without a 2xx, again."""

    def __init__(self, port: int, path: str, name: str) -> None:
        super().__init__(daemon=True)
        self.port, self.path, self.prefix = port, path, name
        self.stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.answers: Counter[int] = Counter()
        self.seconds: list[float] = []

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            identity = f"evt_{self.prefix}_{number}"
            while not self._send(identity):
                if self.stopping.is_set():
                    return
                time.sleep(0.05)
            self.acknowledged.append(identity)
            number += 1

    def _send(self, identity: str) -> bool:
        about = {"id": f"in_{identity}", "object": "invoice"}
        message = {
            "id": identity,
            "type": "invoice.updated",
            "created": 1_790_000_000,
            "data": {"object": about},
        }
        body = json.dumps(message).encode()
        headers = {
            "Stripe-Signature": sign(body, SECRET, timezone.now()),
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        began = time.monotonic()
        try:
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
            self.seconds.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        self.answers[status] += 1
        return 200 <= status < 300


@pytest.mark.parametrize("kills", [1, pytest.param(100, marks=pytest.mark.soak)], ids=["quick", "long"])
def test_what_was_acknowledged_is_in_the_inbox(cast, commits_on_disk, real_web: RealWeb, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    connect(cast)
    path = f"/webhooks/stripe/{cast.workspace.public_id}/"
    senders = [Sender(real_web.port, path, f"s{number}") for number in range(CLIENTS)]
    for sender in senders:
        sender.start()
    quiet = 10.0 if kills > 10 else 0.5
    time.sleep(quiet)
    deadline = time.monotonic() + 30
    while not any(sender.seconds for sender in senders) and time.monotonic() < deadline:
        time.sleep(0.1)  # a busy machine: nothing was answered yet
    seconds = sorted(one for sender in senders for one in list(sender.seconds))
    for _ in range(kills):
        time.sleep(chance.uniform(0.3, 0.9))
        real_web.kill()
        real_web.start()
    time.sleep(0.5)
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join(30)
        assert not sender.is_alive()
    acknowledged = {identity for sender in senders for identity in sender.acknowledged}
    answers = sum((sender.answers for sender in senders), Counter())
    p99 = seconds[int(len(seconds) * 0.99)]
    print(f"{kills} kills: {len(acknowledged)} acknowledged; answers {dict(answers)}")
    print(f"before the first kill: {len(seconds) / quiet:.0f} a second, p99 {p99 * 1000:.0f} ms")
    assert set(answers) <= {0, 200, 503}
    assert answers[0], "no request was cut off: the test proved nothing"
    with workspace_scope(cast.workspace.pk):
        stored = set(BillingMessage.objects.values_list("message_id", flat=True))
        assert acknowledged <= stored
        assert len(stored) == BillingMessage.objects.count()
        assert Job.objects.filter(workspace=cast.workspace, kind="accounts.billing_message").count() == len(
            stored
        )
        assert not BillingMessage.objects.filter(processed_at__isnull=False).exists(), (
            "work before the answer"
        )
    if kills > 10 and os.getloadavg()[0] < 2 * (
        os.cpu_count() or 1
    ):  # a machine that does other things says nothing
        assert p99 < 0.5
