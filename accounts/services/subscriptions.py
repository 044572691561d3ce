"""Subscriptions as imports bring them: the present state, the history of terms, the movements of MRR."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Min

from accounts.imports.parsing import ParsedRow
from accounts.imports.problems import RowProblem, shown
from accounts.models import Account, EndedCause, Plan, Subscription, SubscriptionChange
from accounts.services.import_rows import (
    ChunkResult,
    ImportContext,
    merged,
    record_created,
    record_updated,
    save_changed,
    subscriptions_by_external_id,
    with_account,
)
from accounts.services.movements import rebuild_movements
from accounts.services.subscription_terms import Contradiction, Draft, amend, begin
from cs_platform.lib.money import NotMoney, to_minor

_BATCH = 1000
_TEXTS = ("ended_reason", "ended_cause")
_PLAIN = ("seats", "started_at", "ended_at", "renews_at", "ended_reason", "ended_cause")


def import_subscriptions(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """Create or update subscriptions by external id; other terms become a dated change."""
    result = ChunkResult()
    known = with_account(rows, result)
    drafts = _drafts(row.values["external_id"] for row, _ in known)
    plans = plan_ids(context, {row.values["plan"] for row, _ in known if "plan" in row.values})
    kept = 0
    for row, account_id in known:
        try:
            _apply(context, drafts, row, account_id, plans)
            kept += 1
        except (Contradiction, RowProblem, NotMoney) as error:
            _refuse(result, row, error)
    written = [draft for draft in drafts.values() if draft.is_new or draft.is_changed]
    _write(context, written)
    created = sum(draft.is_new for draft in written)
    result.count(kept, created, min(len(written) - created, kept - created))
    touched = {draft.subscription.account_id for draft in written}
    if touched:
        move_assumed_starts(context, touched)
        rebuild_movements(touched)
    return result


def _refuse(result: ChunkResult, row: ParsedRow, error: Exception) -> None:
    if isinstance(error, Contradiction):
        result.refuse(row, error.code, error.field_name)
    elif isinstance(error, RowProblem):
        result.refuse(row, error.code, error.field, error.params.get("value", ""))
    else:
        result.refuse(row, "not_a_number", "mrr", str(error))


def _drafts(external_ids: Iterable[str]) -> dict[str, Draft]:
    existing = subscriptions_by_external_id(external_ids)
    changes = defaultdict(list)
    for change in SubscriptionChange.objects.filter(
        subscription_id__in=[row.pk for row in existing.values()]
    ).order_by("effective_at"):
        changes[change.subscription_id].append(change)
    return {key: Draft(row, changes[row.pk]) for key, row in existing.items()}


def _apply(
    context: ImportContext, drafts: dict[str, Draft], row: ParsedRow, account_id: int, plans: dict[str, int]
) -> None:
    key = row.values["external_id"]
    draft = drafts.get(key)
    if draft is None:
        drafts[key] = begin(_new(context, row, account_id, plans))
        return
    if draft.subscription.account_id != account_id:
        raise RowProblem("other_account", "external_id", {"value": shown(key)})
    values = _values(context, row, plans, draft.subscription)
    amend(draft, values, effective_at=row.get("effective_at"), now=context.now)


def _new(context: ImportContext, row: ParsedRow, account_id: int, plans: dict[str, int]) -> Subscription:
    blank = Subscription(
        account_id=account_id,
        external_id=row.values["external_id"],
        currency=row.get("currency") or context.workspace.report_currency,
    )
    for name, value in _values(context, row, plans, blank).items():
        setattr(blank, name, value)
    return blank


def _values(
    context: ImportContext, row: ParsedRow, plans: dict[str, int], subscription: Subscription
) -> dict[str, Any]:
    values = {
        name: "" if name in _TEXTS and not value else value for name, value in row.given(_PLAIN).items()
    }
    currency = row.get("currency") or subscription.currency
    if "currency" in row.values:
        values["currency"] = currency
    if "mrr" in row.values:
        values["mrr_minor"] = to_minor(row.values["mrr"], currency)
    if "plan" in row.values:
        values["plan_id"] = plans[row.values["plan"]]
    elif "plan" in row.cleared:
        values["plan_id"] = None
    if "billing_interval" in row.values:
        interval = row.values["billing_interval"]
        values |= {"billing_interval": interval.billing_interval, "term_months": interval.term_months}
    values["properties"] = merged(subscription.properties, row.extras)
    return values | _ending(values, subscription, context.now)


def _ending(values: dict[str, Any], subscription: Subscription, now: datetime) -> dict[str, Any]:
    """The status, and why it ended: unknown where nobody said, nothing where it goes on after all."""
    ended_at = values.get("ended_at", subscription.ended_at)
    found: dict[str, Any] = {"status": "canceled" if ended_at and ended_at <= now else "active"}
    if ended_at and not values.get("ended_cause", subscription.ended_cause):
        found["ended_cause"] = EndedCause.UNKNOWN
    if "ended_at" in values and ended_at is None:
        found |= {name: values.get(name, "") for name in _TEXTS}
    return found


def plan_ids(context: ImportContext, names: set[str]) -> dict[str, int]:
    """Ids of the plans by name; a plan that nobody knows yet is made."""
    known: dict[str, int] = context.cache.setdefault("plans", {})
    missing = names - known.keys()
    if missing:
        known |= dict(Plan.objects.filter(name__in=missing).values_list("name", "pk"))
        fresh = Plan.objects.bulk_create([Plan(name=name) for name in sorted(missing - known.keys())])
        record_created(context, Plan, [plan.pk for plan in fresh])
        known |= {plan.name: plan.pk for plan in fresh}
    return known


def _write(context: ImportContext, drafts: Sequence[Draft]) -> None:
    fresh = [draft.subscription for draft in drafts if draft.is_new]
    Subscription.objects.bulk_create(fresh, batch_size=_BATCH)
    record_created(context, Subscription, [row.pk for row in fresh])
    save_changed(
        context, Subscription, [(d.subscription, d.before) for d in drafts if d.before and not d.is_new]
    )
    corrected = [pair for draft in drafts for pair in draft.corrected.values()]
    SubscriptionChange.objects.bulk_update(
        [change for change, _ in corrected],
        ["effective_at", "known_at", "plan", "mrr_minor", "currency", "seats", "billing_interval"],
        batch_size=200,
    )
    record_updated(context, SubscriptionChange, [(change.pk, diff) for change, diff in corrected])
    added = [change for draft in drafts for change in draft.changes if change.pk is None]
    for change in added:
        change.subscription_id = change.subscription.pk
        change.source_import_id = context.source_import.pk
    SubscriptionChange.objects.bulk_create(added, batch_size=_BATCH)


def move_assumed_starts(context: ImportContext, account_ids: Iterable[int]) -> None:
    """An account whose beginning nobody told us began no later than its first subscription."""
    rows = list(Account.objects.filter(pk__in=set(account_ids), is_start_assumed=True))
    # The ids, not a sub-select: joined, a new workspace's rows would be compared each with each.
    first = dict(
        Subscription.objects.filter(account_id__in=[account.pk for account in rows])
        .values_list("account_id")
        .annotate(first=Min("started_at"))
    )
    changed = []
    for account in rows:
        began = first.get(account.pk)
        if began and began < account.created_at:
            changed.append((account, {"created_at": (account.created_at, began)}))
            account.created_at = began
    save_changed(context, Account, changed)
