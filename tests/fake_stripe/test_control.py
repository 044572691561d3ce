"""The control API answers mistakes with reasons, and a fake never outlives whoever started it."""

import signal
import subprocess
import sys
import time

import pytest
import stripe

from tests.fake_stripe.running import ROOT, Refused


@pytest.mark.parametrize(
    ("command", "given", "reason"),
    [
        ("teleport", {}, "no such command; there are GET /_fake/clock"),
        ("faults", {"rules": [{"kind": "explode"}]}, "unknown fault 'explode'"),
        ("outcomes", {"plan": ["maybe"], "all": True}, "unknown outcome 'maybe'"),
        ("outcomes", {"plan": ["ok"]}, "name a payment_method, a customer, or all"),
        ("settings", {"retries": 3}, "unknown"),
        ("delivery", {"duplicate": 3}, "unknown"),
        ("seed", {"count": 0}, "count must be between"),
    ],
)
def test_mistakes_are_explained_and_change_nothing(fake_stripe, command, given, reason):
    with pytest.raises(Refused, match=reason):
        fake_stripe.control("POST", command, **given)
    assert fake_stripe.stats()["requests"] == 0


def test_reset_empties_everything(shop):
    shop.pay(shop.open_invoice().id, "k")
    shop.fake.fault("unavailable")
    shop.fake.limits(rate_limit=1)
    shop.fake.reset()
    api = shop.fake.client().v1
    assert [api.customers.list().data, api.events.list().data, shop.fake.ledger()] == [[], [], []]
    assert abs(shop.fake.now() - time.time()) < 5


def test_seeded_cases_are_as_if_they_had_failed_by_themselves(shop):
    seeded = shop.fake.seed(4, plans=[["insufficient_funds", "ok"], ["lost_card"]], subscriptions=True)
    assert {shop.subscription(one).status for one in seeded["subscriptions"]} == {"incomplete"}
    assert [row["code"] for row in shop.fake.ledger()] == ["insufficient_funds", "lost_card"] * 2
    assert shop.pay(seeded["invoices"][0]).status == "paid"
    with pytest.raises(stripe.CardError):
        shop.pay(seeded["invoices"][1])


def test_it_goes_when_its_starter_is_gone(tmp_path):
    """Also when that one was killed and could clear nothing away."""
    starter = (
        "import subprocess, sys, time\n"
        "command = [sys.executable, '-m', 'fake_stripe', '--data', sys.argv[1], '--with-parent']\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline().split()[0], child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", starter, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        word, child = process.stdout.readline().split()
        assert (word, state_of(child)) in (("ready", "S"), ("ready", "R"))
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while state_of(child) != "Z":
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.1)


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"
