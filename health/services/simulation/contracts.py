"""Plans, exchange rates, subscriptions with their history, invoices with their attempts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
from psycopg.types.json import Jsonb

from accounts.models import ExchangeRate, Invoice, PaymentAttempt, Plan, Subscription, SubscriptionChange
from accounts.services.movements import rebuild_movements
from cs_platform.lib.bulk import upsert
from health.services.simulation.identities import Target
from health.simulation.billing import SimulatedInvoice
from health.simulation.history import stream
from health.simulation.subscriptions import SimulatedSubscription

# Units of the report currency (US dollars) for one major unit; believable, not of a real day.
_RATES = {"EUR": 1.09, "GBP": 1.28, "KRW": 0.00073}

_STATE = "plan_id status mrr_minor seats ended_at renews_at ended_reason ended_cause".split()


def write_plans(target: Target) -> int:
    """The price list in dollars and a rate of exchange for every quarter."""
    columns = ["public_id", "name", "list_mrr_minor", "currency", "is_per_seat"]
    rows = [(uuid4(), plan.name, plan.unit_minor["USD"], "USD", True) for plan in target.business.plans]
    written = upsert(Plan._meta.db_table, columns, rows, key=["name"], update=[])
    rates = list(_rates(target))
    upsert(
        ExchangeRate._meta.db_table,
        ["currency", "on_date", "rate"],
        rates,
        key=["currency", "on_date"],
        update=[],
    )
    return written


def _rates(target: Target) -> Iterator[tuple[str, date, Decimal]]:
    spec = target.business.spec
    rng = stream(spec.seed, 20)
    earliest = min(int(target.business.history.first.first_day.min()), 0)
    for currency, rate in _RATES.items():
        for day in range(earliest, spec.days, 91):
            moved = rate * (1 + 0.03 * float(np.clip(rng.normal(), -2, 2)))
            yield currency, spec.day(day), Decimal(f"{moved:.9f}")


def write_subscriptions(target: Target) -> int:
    """Subscriptions as they stand at the end, and every change of their terms."""
    plans = dict(Plan.objects.values_list("name", "pk"))
    columns = [
        "public_id",
        "account_id",
        "plan_id",
        "external_id",
        "status",
        "mrr_minor",
        "currency",
        "seats",
        "billing_interval",
        "term_months",
        "started_at",
        "ended_at",
        "renews_at",
        "ended_reason",
        "ended_cause",
        "properties",
    ]
    rows = [
        _subscription_row(item, target, plans)
        for item in target.business.subscriptions
        if item.external_id not in target.handed_on
    ]
    written = upsert(Subscription._meta.db_table, columns, rows, key=["external_id"], update=_STATE)
    columns = [
        "subscription_id",
        "effective_at",
        "known_at",
        "plan_id",
        "mrr_minor",
        "currency",
        "seats",
        "billing_interval",
    ]
    key = ["subscription_id", "effective_at"]
    upsert(SubscriptionChange._meta.db_table, columns, list(_change_rows(target, plans)), key=key, update=[])
    rebuild_movements(target.account_ids.tolist())
    return written


def _subscription_row(item: SimulatedSubscription, target: Target, plans: dict[str, int]) -> tuple[Any, ...]:
    end = target.business.spec.moment(target.business.spec.days)
    on_trial = item.trial_ends_at is not None and item.trial_ends_at >= end
    status = "canceled" if item.ended_at else "trialing" if on_trial else "active"
    return (
        uuid4(),
        int(target.account_ids[item.account]),
        plans[item.plan.capitalize()],
        item.external_id,
        status,
        0 if on_trial else item.mrr_minor,
        item.currency,
        item.seats,
        item.billing_interval,
        None,
        item.started_at,
        item.cancel_at,  # lies ahead where notice has been given
        item.renews_at,
        item.ended_reason,
        item.ended_cause,
        Jsonb({}),
    )


def _change_rows(target: Target, plans: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    """Terms only: a request to cancel changes none, and the end stands on the subscription."""
    for row_id, item in zip(target.subscription_ids, target.business.subscriptions, strict=True):
        for change in item.changes if item.external_id not in target.handed_on else ():
            if change.kind not in {"cancel_requested", "ended"}:
                yield (
                    int(row_id),
                    change.at,
                    change.at,
                    plans[change.plan.capitalize()],
                    change.mrr_minor,
                    item.currency,
                    change.seats,
                    item.billing_interval,
                )


def _invoices(target: Target) -> Iterator[SimulatedInvoice]:
    """Those that no payment provider tells of."""
    subscriptions = target.business.subscriptions
    for item in target.business.invoices:
        if subscriptions[item.subscription].external_id not in target.handed_on:
            yield item


def write_invoices(target: Target) -> int:
    """Invoices of the period and every try at charging them."""
    columns = [
        "public_id",
        "account_id",
        "subscription_id",
        "external_id",
        "amount_minor",
        "currency",
        "status",
        "due_at",
        "paid_at",
        "properties",
    ]
    rows = [
        (
            uuid4(),
            int(target.account_ids[item.account]),
            int(target.subscription_ids[item.subscription]),
            item.external_id,
            item.amount_minor,
            item.currency,
            item.status,
            item.due_at,
            item.paid_at,
            Jsonb({}),
        )
        for item in _invoices(target)
    ]
    written = upsert(Invoice._meta.db_table, columns, rows, key=["external_id"], update=["status", "paid_at"])
    columns = ["invoice_id", "account_id", "number", "attempted_at", "status", "decline_code"]
    key = ["invoice_id", "number"]
    upsert(PaymentAttempt._meta.db_table, columns, list(_attempt_rows(target)), key=key, update=[])
    return written


def _attempt_rows(target: Target) -> Iterator[tuple[Any, ...]]:
    prefix = f"in-{target.business.spec.seed}-"
    ids = dict(Invoice.objects.filter(external_id__startswith=prefix).values_list("external_id", "pk"))
    for item in _invoices(target):
        for number, attempt in enumerate(item.attempts, start=1):
            status = PaymentAttempt.Status.SUCCEEDED if attempt.succeeded else PaymentAttempt.Status.FAILED
            account_id = int(target.account_ids[item.account])
            yield ids[item.external_id], account_id, number, attempt.at, str(status), attempt.decline_code
