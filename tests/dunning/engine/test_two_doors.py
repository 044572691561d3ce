"""The worker's retry and a person's "pay now" at the same moment: one of them charges."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import BillingOrder, Job
from accounts.services.billing_orders import ORDER_JOB
from accounts.services.jobs import claim, run, run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.case_steps import CASE_JOB
from dunning.services.case_verbs import CaseRefused, pay_now
from tests.dunning.engine import world
from tests.dunning.engine.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = int(os.environ.get("DUNNING_RACES", "12"))
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("races", [QUICK, pytest.param(2000, marks=pytest.mark.soak)])
def test_one_charge_by_two_doors(shop: Shop, races: int) -> None:
    shop.due_retries(["generic_decline", "ok"], ["generic_decline", "insufficient_funds", "ok"], count=races)
    with shop.scope():
        cases = list(DunningCase.objects.order_by("pk"))
        Job.objects.update(due_at=timezone.now() + timedelta(days=1))
    start, over, answers, aim = threading.Barrier(2), threading.Barrier(2), Counter[str](), Aim()

    def worker() -> None:
        for case in cases:
            Job.objects.filter(kind=CASE_JOB, object_id=case.pk).update(due_at=LONG_AGO)
            lease = claim(kind=CASE_JOB)
            assert lease is not None and lease.object_id == case.pk
            start.wait()
            time.sleep(max(0.0, aim.head_start))
            run(lease)
            over.wait()
            run_due_jobs(limit=2, kind=ORDER_JOB)
        close_connections()

    def person() -> None:
        for case in cases:
            start.wait()
            time.sleep(max(0.0, -aim.head_start))
            answer = click(case, shop.cast.workspace.pk)
            answers[answer] += 1
            aim.learn(has_clicked=answer == "charged")
            over.wait()
        close_connections()

    threads = [threading.Thread(target=worker), threading.Thread(target=person)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shop.work(rounds=2)
    with shop.scope():
        orders = Counter(BillingOrder.objects.values_list("made_by", "state"))
        print(
            f"{races} races, {answers['charged']} won by the click: clicks {dict(answers)}, orders {dict(orders)},"
            f" {shop.fake.summary()}"
        )
        assert races < 100 or 0.25 < answers["charged"] / races < 0.75, "one door was always first"
        assert world.disagreements(shop.fake) == {}
        assert world.unexplained() == []
        assert not BillingOrder.objects.filter(state__in=("planned", "sent", "unknown")).exists()


class Aim:
    """Who won gets a later start, so that both come to the door at the same moment."""

    head_start = 0.0  # of the click, in seconds

    def learn(self, *, has_clicked: bool) -> None:
        self.head_start += random.uniform(0, 0.001) * (-1 if has_clicked else 1)


def click(case: DunningCase, workspace_id: int) -> str:
    """As the card page does: order, then let a worker look at once."""
    try:
        with workspace_scope(workspace_id):
            pay_now(case=case, now=timezone.now())
    except CaseRefused as refused:
        return str(refused.code)
    run_due_jobs(limit=1, kind="accounts.billing_order")
    return "charged"


def close_connections() -> None:
    connection.close()
    connections.close_all()


def test_the_database_alone_keeps_the_second_door_shut(shop: Shop) -> None:
    """Even if the case were not locked, only one charge of an invoice may be on its way."""
    from accounts.services.billing_orders import OrderRefused, place_charge

    shop.due_retries(["generic_decline", "ok"], count=1)
    with shop.scope():
        invoice: Any = DunningCase.objects.get().invoice
        now = timezone.now()
        place_charge(invoice=invoice, day=now.date(), now=now, method=invoice.customer.default_method)
        with pytest.raises(OrderRefused, match="under_way"):
            place_charge(invoice=invoice, day=now.date(), now=now, made_by="person")
        BillingOrder.objects.update(state="failed", sent_at=now, decline_code="insufficient_funds")
        with pytest.raises(OrderRefused, match="one_a_day"):
            place_charge(invoice=invoice, day=now.date(), now=now)
