"""The first synchronisation: everything that the mirror holds, newest first, in an order in which each finds what
it stands on. Also the way back after a gap that the list of messages no longer covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from accounts.gateways.stripe.facts import ChargeFacts
from accounts.gateways.stripe.reading import (
    Page,
    completed,
    list_charges,
    list_customers,
    list_invoices,
    list_prices,
    list_subscriptions,
    read_charges_of,
)
from accounts.models import BillingCustomer, Invoice, Plan, Subscription
from accounts.services.billing_customer_pages import apply_customers
from accounts.services.billing_pages import apply_invoices, apply_subscriptions
from accounts.services.billing_refresh import Found, Reader
from accounts.services.billing_syncs import Walk
from accounts.services.billing_try_pages import apply_tries
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope

STAGES = ("prices", "customers", "subscriptions", "invoices", "charges")
Write = Callable[[], None]


def first_step(walk: Walk) -> Write | None:
    """Read the next page; None after the last one of the last stage."""
    stage = walk.position.get("stage", STAGES[0])
    if stage == "done":
        return None
    at = database_now()
    page, write = _READ[stage](walk, walk.position.get("after", ""), at)

    def commit() -> None:
        write()
        walk.count(stage, len(page.rows))
        following = (*STAGES, "done")[STAGES.index(stage) + 1]
        walk.position = {"stage": stage if page.cursor else following, "after": page.cursor}

    return commit


def pass_stage(walk: Walk) -> None:
    """The key may not read what this stage needs: go on with the next one."""
    stage = walk.position.get("stage", STAGES[0])
    walk.position = {"stage": (*STAGES, "done")[STAGES.index(stage) + 1], "after": ""}


def _prices(walk: Walk, after: str, at: datetime) -> tuple[Page[Any], Write]:
    page = list_prices(walk.gateway, after)
    found = Found(prices=[price for price in page.rows if price.interval])
    return page, lambda: found.apply(now=walk.now)


def _customers(walk: Walk, after: str, at: datetime) -> tuple[Page[Any], Write]:
    page = list_customers(walk.gateway, after)
    return page, lambda: apply_customers(page.rows, fetched_at=at, now=walk.now)


def _subscriptions(walk: Walk, after: str, at: datetime) -> tuple[Page[Any], Write]:
    page = list_subscriptions(walk.gateway, after)
    reader = _reader_of_missing(
        walk,
        (BillingCustomer, {one.customer_id for one in page.rows}),
        (Plan, {item.price.id for one in page.rows for item in one.items}),
    )
    rows = [completed(walk.gateway, one) for one in page.rows]

    def write() -> None:
        reader.found.apply(now=walk.now)
        apply_subscriptions(rows, fetched_at=at, now=walk.now)

    return page, write


def _invoices(walk: Walk, after: str, at: datetime) -> tuple[Page[Any], Write]:
    page = list_invoices(walk.gateway, after)
    reader = _reader_of_missing(
        walk,
        (BillingCustomer, {one.customer_id for one in page.rows}),
        (Subscription, {one.subscription_id for one in page.rows if one.subscription_id}),
    )
    rows = []
    for one in page.rows:
        if len(one.payments) > 1:  # the way from a charge back to its invoice is kept for one payment only
            one = replace(one, charges=read_charges_of(walk.gateway, one))
        rows.append(one)

    def write() -> None:
        reader.found.apply(now=walk.now)
        apply_invoices(rows, fetched_at=at, now=walk.now)

    return page, write


def _charges(walk: Walk, after: str, at: datetime) -> tuple[Page[Any], Write]:
    page = list_charges(walk.gateway, after)
    by_payment: dict[str, list[ChargeFacts]] = defaultdict(list)
    for one in reversed(page.rows):  # oldest first: several may be of one second
        by_payment[one.intent_id or one.id].append(one)
    with workspace_scope(walk.lease.workspace_id):
        known = dict(
            Invoice.objects.filter(payment_ref__in=list(by_payment)).values_list("payment_ref", "external_id")
        )
    reader = Reader(walk.gateway)
    for payment, charges in by_payment.items():
        if payment in known and any(one.refunded_minor for one in charges):
            reader.read(known[payment])

    def write() -> None:
        reader.found.apply(now=walk.now)
        tried = {known[payment]: charges for payment, charges in by_payment.items() if payment in known}
        apply_tries(tried, fetched_at=at)

    return page, write


def _reader_of_missing(walk: Walk, *wanted: tuple[Any, set[str]]) -> Reader:
    """Reads one by one what rows stand on and no page brought: deleted customers, prices of old."""
    reader = Reader(walk.gateway)
    for model, ids in wanted:
        with workspace_scope(walk.lease.workspace_id):
            known = set(model.objects.filter(external_id__in=ids).values_list("external_id", flat=True))
        for object_id in sorted(ids - known):
            reader.read(object_id)
    return reader


_READ: dict[str, Callable[[Walk, str, datetime], tuple[Page[Any], Write]]] = {
    "prices": _prices,
    "customers": _customers,
    "subscriptions": _subscriptions,
    "invoices": _invoices,
    "charges": _charges,
}
