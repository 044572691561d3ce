"""Brings the demo's payments together: the past, the shop at the fake Stripe, its mirror, the cases of these days."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.gateways.stripe.rights import check_key
from accounts.models import (
    Account,
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
from dunning.services.cases import look_at_invoice, payer_of
from dunning.services.collecting import start_collecting
from dunning.services.demo.history import write_past_cases
from dunning.services.demo.shop import (
    GOOD,
    KEY,
    Bought,
    Buyer,
    NoShop,
    anniversaries,
    build_shop,
    control,
    is_fake,
    wait_for_shop,
)
from health.services.simulation.identities import TOLD_AS

# How long ago the last renewal of a buyer may be: failures are spread over weeks, so that no week stands out; of
# those whose payments pass, a few are enough.
LATEST, LATEST_GOOD = timedelta(days=24), timedelta(days=9)
PATIENCE_SECONDS = 40.0
CALLS_PER_SECOND = 500  # it is a machine of ours
# What the cards of these days answer after their last good charge; the others are good.
ANSWERS: tuple[tuple[str, ...], ...] = (
    ("insufficient_funds", "insufficient_funds", "ok"),
    ("authentication_required",),
    ("lost_card",),
    ("expired_card",),
    ("insufficient_funds", "ok"),
    ("processing_error", "ok"),
    ("generic_decline",),
    ("insufficient_funds",),
    ("insufficient_funds", "insufficient_funds", "insufficient_funds", "ok"),
    ("do_not_honor",),
)


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
        buyers = _buyers(now)
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
    address = reverse("accounts:stripe_webhook", args=[workspace.public_id])
    control("webhooks", url=f"{settings.BASE_URL}{address}", secret=secret)
    _synchronise(workspace)
    with workspace_scope(workspace.pk):
        count = _open_cases(owner, now)
        _work_on_some(_somebody(Role.CSM), now)
    return count


def _somebody(role: str) -> User:
    member: Any = (
        Membership.objects.filter(role=role, is_active=True).select_related("user").order_by("pk").first()
    )
    user: User = member.user
    return user


def _buyers(now: datetime) -> list[Buyer]:
    """Accounts with one monthly subscription at its list price that was renewed in the last days."""
    rows = Subscription.objects.filter(
        billing_interval="month", currency="USD", ended_at__isnull=True, status="active", provider=""
    )
    found: list[Buyer] = []
    for row in rows.select_related("account", "plan").order_by("pk"):
        days = anniversaries(row.started_at, now)
        is_listed = (
            row.plan is not None and row.seats and row.mrr_minor == row.seats * (row.plan.list_mrr_minor or 0)
        )
        if days is None or not is_listed or now - days[1] > LATEST or now - days[1] < timedelta(hours=4):
            continue
        found.append(_buyer(row, days))
    return _spread(sorted(found, key=lambda one: -one.seats), now)


def _spread(buyers: list[Buyer], now: datetime) -> list[Buyer]:
    """One failing buyer per slot of the time, the largest of those that renewed in it, the latest slot first; and
    some good ones."""
    chosen: list[Buyer] = []
    slot = LATEST / len(ANSWERS)
    for number, answers in enumerate(ANSWERS):
        ends = now - slot * number
        fitting = (one for one in buyers if ends - slot <= one.renewed_at < ends)
        if one := next(fitting, None):
            chosen.append(replace(one, answers=answers))
    failing = {one.account for one in chosen}
    good = [one for one in buyers if one.account not in failing and now - one.renewed_at <= LATEST_GOOD]
    return chosen + [replace(one, answers=GOOD) for one in good]


def _buyer(row: Subscription, days: tuple[datetime, datetime]) -> Buyer:
    account: Account = row.account
    payer = payer_of(Invoice(account=account, account_id=account.pk))
    assert row.plan is not None
    return Buyer(
        account=account.external_id,
        name=account.name,
        email=payer.email if payer else "",
        language=payer.language if payer else "en",
        country=account.country[:2] or "US",
        product=row.plan.name,
        seats=row.seats or 1,
        seat_minor=row.plan.list_mrr_minor or 0,
        currency=row.currency,
        began_at=row.started_at,
        paid_from=days[0],
        renewed_at=days[1],
    )


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
        status="open", attempts__status="failed", due_at__gt=now - timedelta(days=25)
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
