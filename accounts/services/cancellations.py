"""Cancellations as imports bring them: they end subscriptions and stand on the timeline."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from accounts.imports.parsing import ParsedRow
from accounts.models import Activity, EndedCause, Subscription
from accounts.services.import_rows import (
    ChunkResult,
    ImportContext,
    record_created,
    save_changed,
    with_account,
)
from accounts.services.movements import rebuild_movements

SOURCE = "import_cancellation"
# A reason given this long after a subscription ended still belongs to it.
_AFTERWARDS = timedelta(days=31)


def import_cancellations(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """End what ran at `occurred_at` (one subscription, or all of the account) and note why.

    An end that is already known stays; only ends set by a later cancellation move back, so that
    the order of the rows does not matter.
    """
    result = ChunkResult()
    known = sorted(with_account(rows, result), key=lambda pair: pair[0].values["occurred_at"])
    known = _with_known_subscription(known, result)
    done = _done(row_id(row) for row, _ in known)
    fresh = [(row, account_id) for row, account_id in known if row_id(row) not in done]
    changed = _end_subscriptions(context, fresh)
    save_changed(context, Subscription, list(changed.values()))
    rebuild_movements({subscription.account_id for subscription, _ in changed.values()})
    result.count(len(known), len(fresh), 0)
    return result


def row_id(row: ParsedRow) -> int:
    """63 bits that name the cancellation: the same row has the same ones in every run."""
    names = ("account", "subscription", "occurred_at", "reason")
    text = json.dumps([row.get(name) for name in names], default=str)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _done(row_ids: Iterable[int]) -> set[int]:
    rows = Activity.objects.filter(source=SOURCE, source_id__in=set(row_ids))
    return set(rows.values_list("source_id", flat=True))


def _with_known_subscription(
    known: Sequence[tuple[ParsedRow, int]], result: ChunkResult
) -> list[tuple[ParsedRow, int]]:
    keys = {row.values["subscription"] for row, _ in known if "subscription" in row.values}
    owners = dict(Subscription.objects.filter(external_id__in=keys).values_list("external_id", "account_id"))
    kept = []
    for row, account_id in known:
        key = row.get("subscription")
        if key is None or owners.get(key) == account_id:
            kept.append((row, account_id))
        else:
            result.refuse(
                row, "other_account" if key in owners else "unknown_subscription", "subscription", key
            )
    return kept


Changed = dict[int, tuple[Subscription, dict[str, tuple[Any, Any]]]]


def _end_subscriptions(context: ImportContext, rows: Sequence[tuple[ParsedRow, int]]) -> Changed:
    accounts = {account_id for _, account_id in rows}
    by_account = defaultdict(list)
    for subscription in Subscription.objects.filter(account_id__in=accounts):
        by_account[subscription.account_id].append(subscription)
    ended = _ended_by_cancellations(accounts)
    changed: Changed = {}
    activities = []
    for row, account_id in rows:
        hit = [s for s in by_account[account_id] if row.get("subscription") in (None, s.external_id)]
        ends = [subscription for subscription in hit if _ends(subscription, row, ended)]
        for subscription in ends:
            _note(changed, subscription, _end(context, row) | _why(row, subscription))
        for subscription in [] if ends else [s for s in hit if _explains(s, row)]:
            _note(changed, subscription, _why(row, subscription))
        ended.update(subscription.pk for subscription in ends)
        activities.append(_activity(row, account_id, ends))
    Activity.objects.bulk_create(activities, batch_size=1000)
    record_created(context, Activity, [activity.pk for activity in activities])
    return changed


def _ended_by_cancellations(account_ids: Iterable[int]) -> set[int]:
    rows = Activity.objects.filter(source=SOURCE, account_id__in=set(account_ids))
    return {pk for data in rows.values_list("data", flat=True) for pk in data.get("subscriptions", [])}


def _ends(subscription: Subscription, row: ParsedRow, ended: set[int]) -> bool:
    at = row.values["occurred_at"]
    if subscription.started_at > at:
        return False
    is_ours = subscription.pk in ended
    return subscription.ended_at is None or (subscription.ended_at > at and is_ours)


def _explains(subscription: Subscription, row: ParsedRow) -> bool:
    """It has an end already, and this is the reason for it."""
    at, ended_at = row.values["occurred_at"], subscription.ended_at
    if ended_at is None or subscription.started_at > at or subscription.ended_reason:
        return False
    return bool(ended_at > at - _AFTERWARDS)


def _end(context: ImportContext, row: ParsedRow) -> dict[str, Any]:
    at = row.values["occurred_at"]
    return {"ended_at": at, "status": "canceled" if at <= context.now else "active"}


def _why(row: ParsedRow, subscription: Subscription) -> dict[str, Any]:
    # Somebody who gives a reason decided to leave.
    guess = EndedCause.VOLUNTARY if "reason" in row.values else EndedCause.UNKNOWN
    return {
        "ended_reason": row.get("reason", subscription.ended_reason),
        "ended_cause": row.get("cause", guess),
    }


def _note(changed: Changed, subscription: Subscription, values: dict[str, Any]) -> None:
    difference = changed.get(subscription.pk, (subscription, {}))[1]
    for name, value in values.items():
        old = getattr(subscription, name)
        if old != value:
            difference[name] = (difference.get(name, (old,))[0], value)
            setattr(subscription, name, value)
    if difference:
        changed[subscription.pk] = (subscription, difference)


def _activity(row: ParsedRow, account_id: int, ends: Sequence[Subscription]) -> Activity:
    """The line of the timeline; the file's other columns, its own reason among them, are in `data`."""
    return Activity(
        account_id=account_id,
        kind="cancellation",
        body=row.get("comment", ""),
        data={
            "reason": row.get("reason", ""),
            "cause": row.get("cause", ""),
            "subscriptions": [subscription.pk for subscription in ends],
            "properties": row.extras,
        },
        occurred_at=row.values["occurred_at"],
        source=SOURCE,
        source_id=row_id(row),
    )
