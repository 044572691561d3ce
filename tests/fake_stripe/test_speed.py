"""How fast the fake pays: it must not be what a kill run of 10,000 retries waits for."""

import http.client
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fake_stripe.running import KEY, running

PAYMENTS, CLIENTS = 4000, 4
# Enough for 300 payments a second on one core that the fake has to itself.
MOST_CPU_MS = 1000 / 300


def pay_all(url, invoices):
    """Over one kept connection, with as little client as possible; returns the statuses."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    statuses = []
    for invoice in invoices:
        headers = {
            "Authorization": f"Bearer {KEY}",
            "Idempotency-Key": f"{invoice}:1",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", f"/v1/invoices/{invoice}/pay", "off_session=true", headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.soak
def test_three_hundred_payments_a_second():
    with running() as fake:
        seeded = fake.seed(PAYMENTS, plans=[["insufficient_funds"], ["ok"]], fail=False, subscriptions=True)[
            "invoices"
        ]
        parts = [seeded[place::CLIENTS] for place in range(CLIENTS)]
        used, began = cpu_seconds(fake.process.pid), time.monotonic()
        with ProcessPoolExecutor(CLIENTS) as pool:
            statuses = [one for part in pool.map(pay_all, [fake.url] * CLIENTS, parts) for one in part]
        seconds, used = time.monotonic() - began, cpu_seconds(fake.process.pid) - used
        charges = fake.summary()["charges"]
    assert statuses.count(200) == statuses.count(402) == PAYMENTS // 2
    assert charges["succeeded"]["count"] == charges["failed"]["count"] == PAYMENTS // 2
    milliseconds = used / PAYMENTS * 1000
    print(
        f"\n{PAYMENTS / seconds:.0f} payments/s from {CLIENTS} clients, {milliseconds:.2f} ms of the fake's CPU each"
    )
    assert milliseconds <= MOST_CPU_MS
