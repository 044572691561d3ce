"""Brings the demo's payments together: the past, the shop at the fake Stripe, its mirror, the cases of these days."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.gateways.stripe.rights import check_key
from accounts.models import (
    BillingConnection,
    BillingCustomer,
    BillingSync,
    Invoice,
    Membership,
    PaymentAttempt,
    Role,
    Subscription,
    User,
    Workspace,
)
from accounts.services.billing_connections import connect
from accounts.services.billing_syncs import SYNC_JOB
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase, DunningPolicy
from dunning.services import case_verbs
from dunning.services.cases import look_at_invoice
from dunning.services.collecting import start_collecting
from dunning.services.demo.buyers import chosen_buyers
from dunning.services.demo.history import write_past_cases
from dunning.services.demo.overdue import make_overdue
from dunning.services.demo.shop import (
    KEY,
    Bought,
    Buyer,
    NoShop,
    build_shop,
    control,
    is_fake,
    wait_for_shop,
)
from health.services.simulation.identities import TOLD_AS

PATIENCE_SECONDS = 40.0
CALLS_PER_SECOND = 500  # it is a machine of ours


def write(workspace: Workspace, now: datetime, say: Callable[[str], None]) -> None:
    """The whole part; what is there already stays."""
    with workspace_scope(workspace.pk):
        past = write_past_cases(now=now)
    say(f"failed payments of the past: {past} cases")
    with workspace_scope(workspace.pk):
        is_connected = BillingConnection.objects.exists()
    if not is_fake() or is_connected:
        return
    try:
        wait_for_shop()
    except NoShop:
        say("the fake Stripe does not answer; the demo goes without it")
        return
    say(f"failed payments of these days: {_open_shop(workspace, now, say)} cases")


def _open_shop(workspace: Workspace, now: datetime, say: Callable[[str], None]) -> int:
    with workspace_scope(workspace.pk):
        buyers = chosen_buyers(now)
    made = build_shop(buyers, now=now)
    say(f"customers at the fake Stripe: {len(made)}")
    with workspace_scope(workspace.pk):
        _hand_on(buyers, made)
        owner = _somebody(Role.OWNER)
        secret = f"whsec_{secrets.token_hex(16)}"
        connected = connect(
            api_key=KEY, webhook_secret=secret, checked=check_key(KEY), acting_user=owner, now=now
        )
        BillingConnection.objects.filter(pk=connected.pk).update(calls_per_second=CALLS_PER_SECOND)
    _synchronise(workspace)
    with workspace_scope(workspace.pk):
        count = _open_cases(owner, now)
        make_overdue(now=now)
        _work_on_some(_somebody(Role.CSM), now)
    address = reverse("accounts:stripe_webhook", args=[workspace.public_id])
    control("webhooks", url=f"{settings.BASE_URL}{address}", secret=secret)
    return count


def _somebody(role: str) -> User:
    member: Any = (
        Membership.objects.filter(role=role, is_active=True).select_related("user").order_by("pk").first()
    )
    user: User = member.user
    return user


def _hand_on(buyers: Sequence[Buyer], made: dict[str, Bought]) -> None:
    """From now on the provider tells of these subscriptions; what the simulator said of the same months goes."""
    for buyer in buyers:
        row = Subscription.objects.get(
            account__external_id=buyer.account, billing_interval="month", ended_at__isnull=True
        )
        customer, subscription = made[buyer.account]
        BillingCustomer.objects.create(
            account=row.account,
            external_id=customer,
            properties={TOLD_AS: row.external_id, "subscription": subscription},
        )
        row.external_id = subscription
        row.save(update_fields=["external_id"])
        told = Invoice.objects.filter(subscription=row, due_at__gt=buyer.paid_from)
        PaymentAttempt.objects.filter(invoice__in=told).delete()
        DunningCase.objects.filter(invoice__in=told).delete()
        told.delete()


def _synchronise(workspace: Workspace) -> None:
    """The first walk through the shop; a worker that runs already helps."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        run_due_jobs(limit=1, kind=SYNC_JOB, workspace_id=workspace.pk)
        with workspace_scope(workspace.pk):
            if not BillingSync.objects.filter(state=BillingSync.State.RUNNING).exists():
                return
        time.sleep(0.1)


def _open_cases(owner: User, now: datetime) -> int:
    """As if the platform had been there when they failed: each case opens minutes after its failure."""
    start_collecting(with_waiting=False, acting_user=owner, now=now)
    DunningPolicy.objects.update(collecting_since=now - timedelta(days=180))
    open_ones = Invoice.objects.filter(
        status="open", attempts__status="failed", due_at__gt=now - timedelta(days=29)
    )
    count = 0
    for invoice in open_ones.distinct().order_by("due_at"):
        first = invoice.attempts.order_by("attempted_at").first()
        if first is not None and look_at_invoice(invoice.pk, now=first.attempted_at + timedelta(minutes=2)):
            count += 1
    return count


@transaction.atomic
def _work_on_some(csm: User, now: datetime) -> None:
    """What people did with some of them."""
    rows = DunningCase.objects.filter(state="open").order_by("-amount_minor")
    waiting = list(rows.filter(phase__in=("waiting_for_card", "waiting"))[:2])
    for case in waiting[:1]:
        case_verbs.hand_over(case=case, acting_user=csm, now=now)
        case_verbs.note(
            case=case,
            text="Called the office: the card was replaced last week, they will enter the new one.",
            acting_user=csm,
            now=now,
        )
    planned = rows.filter(phase="planned_retry").last()
    if planned is not None:
        case_verbs.stop(case=planned, acting_user=csm, now=now)
        case_verbs.note(
            case=planned,
            text="They asked for two weeks: the budget is being moved.",
            acting_user=csm,
            now=now,
        )
