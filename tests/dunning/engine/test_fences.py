"""What is committed before a charge leaves, and who may write its result."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, connections

from accounts.gateways.stripe import acting
from accounts.models import BillingOrder
from accounts.services import billing_order_running, billing_order_settling
from accounts.services.jobs import run_due_jobs
from dunning.models import DunningCase
from tests.builders import expire_leases
from tests.dunning.engine import world
from tests.dunning.engine.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(act: Any) -> Any:
    """As another process would do it: on a connection of its own."""
    found: list[Any] = []

    def run() -> None:
        found.append(act())
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_the_intent_is_committed_before_the_call(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever dies during the call leaves an order that says so, and no transaction waits for the provider."""
    seen = []

    def act(gateway: Any, request: Any) -> Any:
        def look() -> Any:
            with shop.scope():
                return BillingOrder.objects.values_list("state", "key", "sends").get()

        seen.append((connection.in_atomic_block, elsewhere(look)))
        return acting.act(gateway, request)

    invoice = shop.due_retries(["generic_decline", "ok"], count=1)[0]
    monkeypatch.setattr(billing_order_running, "act", act)
    shop.work()
    assert seen == [(False, ("sent", f"{invoice.external_id}:1", 1))]


def test_who_lost_the_lease_writes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker hangs in the call; another one takes over and settles. The first one's answer comes too late."""
    shop.due_retries(["generic_decline", "insufficient_funds", "ok"], count=1)
    calls, settled = list[str](), list[int]()

    def act(gateway: Any, request: Any) -> Any:
        calls.append(request.key)
        if len(calls) == 1:
            expire_leases()
            elsewhere(lambda: run_due_jobs(limit=1, kind="accounts.billing_order"))
        return acting.act(gateway, request)

    def settle(*args: Any, **kwargs: Any) -> None:
        settled.append(args[0].pk)
        billing_order_settling.settle(*args, **kwargs)

    monkeypatch.setattr(billing_order_running, "act", act)
    monkeypatch.setattr(billing_order_running, "settle", settle)
    shop.work()
    assert len(calls) == 2 and len(set(calls)) == 1
    assert len(settled) == 1
    with shop.scope():
        case = DunningCase.objects.get()
        kinds = list(case.steps.order_by("number").values_list("kind", flat=True))
        assert kinds == ["opened", "retry_planned", "retry_begun", "retry_failed", "retry_planned"]
        assert world.disagreements(shop.fake) == {} and world.unexplained() == []


def test_result_and_next_state_are_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that cannot take the result takes the result back: the order is asked again, with its key."""
    from accounts.registry import OrderSource, order_sources

    shop.due_retries(["generic_decline", "ok"], count=1)
    good = order_sources.get("dunning.case")

    def broken(order: Any, now: Any) -> None:
        raise RuntimeError("the machine went down here")

    items = order_sources._items
    monkeypatch.setitem(items, "dunning.case", OrderSource("dunning.case", on_settled=broken))
    shop.work()
    with shop.scope():
        assert BillingOrder.objects.get().state == "sent"
    monkeypatch.setitem(items, "dunning.case", good)
    shop.work()
    with shop.scope():
        assert BillingOrder.objects.get().state == "succeeded"
        assert DunningCase.objects.get().state == "recovered"
        assert world.disagreements(shop.fake) == {}
