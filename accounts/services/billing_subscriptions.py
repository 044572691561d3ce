"""The mirror of subscriptions: present state, dated changes of terms, movements of MRR."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.gateways.stripe.facts import SubscriptionFacts
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    CancellationReason,
    EndedCause,
    MadeBy,
    OrderKind,
    OrderState,
    Plan,
    Subscription,
    SubscriptionChange,
)
from accounts.services.billing_mirror import PROVIDER, apply_method, is_stale, known_row, lock_object
from accounts.services.billing_mrr import discount_ends_at, interval_of, main_item, mrr_minor
from accounts.services.movements import rebuild_movements
from accounts.services.subscription_terms import Contradiction, Draft, amend, begin
from accounts.signals import (
    payment_method_changed,
    subscription_changed,
    subscription_ended,
    subscription_leaving,
)

# Who wanted the end, by Stripe's `cancellation_details.reason`.
_CAUSES = {
    "cancellation_requested": EndedCause.VOLUNTARY,
    "payment_failed": EndedCause.INVOLUNTARY,
    "payment_disputed": EndedCause.INVOLUNTARY,
}
_NEVER_BEGAN = "incomplete_expired"
_LEAVING = {"cancel_at", "ended_reason"}  # somebody means to leave, or does not any more


@dataclass(frozen=True)
class Known:
    """What a subscription stands on. `is_ended_by_us`: an order of the platform ended it, for unpaid bills."""

    customer: BillingCustomer
    account_id: int
    plan: Plan | None
    is_ended_by_us: bool = False

    def has_new_seats(self, row: Subscription) -> bool:
        """Whether this subscription is the first to tell that the plan is sold by the seat."""
        return self.plan is not None and (row.seats or 1) > 1 and not self.plan.is_per_seat


def apply_subscription(
    found: SubscriptionFacts, *, fetched_at: datetime, now: datetime, changed_at: datetime | None = None
) -> Subscription | None:
    """Write a subscription whose customer and prices are here; None when something newer is.

    `changed_at`: when the provider told of a change, which dates other terms (default: now).
    """
    lock_object(found.id)
    row = known_row(Subscription, found.id)
    customer = known_row(BillingCustomer, found.customer_id)
    if is_stale(row, fetched_at) or customer is None or customer.account_id is None:
        return None
    item = main_item(found, now)
    plan = Plan.objects.filter(external_id=item.price.id).first() if item else None
    is_ended_by_us = found.ended_at is not None and bool(ended_by_us([found.id]))
    known = Known(customer, customer.account_id, plan, is_ended_by_us)
    was_over = row is not None and row.ended_at is not None
    former_account, former_method = (row.account_id, row.default_method) if row else (None, "")
    if row is None:
        draft = first_draft(found, known, now)
    else:
        changes = list(SubscriptionChange.objects.filter(subscription=row).order_by("effective_at"))
        draft = changed_draft(row, changes, found, known, now=now, changed_at=changed_at or now)
    row = draft.subscription
    row.fetched_at = fetched_at
    _save(draft)
    if plan is not None and known.has_new_seats(row):
        mark_per_seat([plan.pk])
    if found.default_method is not None:
        apply_method(found.default_method, fetched_at=fetched_at, now=now, is_quiet=draft.is_new)
    if draft.is_new or draft.is_changed or former_account != row.account_id:
        rebuild({row.account_id, former_account or row.account_id})
        subscription_changed.send(row.pk)
    if row.ended_at is not None and not was_over and not draft.is_new:
        subscription_ended.send(row.pk)
    elif not draft.is_new and _LEAVING & set(draft.before):
        subscription_leaving.send(row.pk)
    if not draft.is_new and former_method != row.default_method:
        payment_method_changed.send(customer.pk)
    return row


def mark_per_seat(plan_ids: Iterable[int]) -> None:
    """Several units were bought, so units are seats. Who holds the plan's row may wait for this subscription:
    then the next read of it says so."""
    free = Plan.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=set(plan_ids))
    Plan.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(is_per_seat=True)


def rebuild(account_ids: set[int]) -> None:
    """Movements of MRR. One at a time for an account: two of its subscriptions may change at once."""
    list(Account.objects.select_for_update(no_key=True).filter(pk__in=account_ids).order_by("pk"))
    rebuild_movements(account_ids)


def _values(found: SubscriptionFacts, known: Known, now: datetime) -> dict[str, Any]:
    """Everything but the terms, the start and the end."""
    return {
        "status": found.status[:24],
        "renews_at": None if found.ended_at else found.period_end,
        "ended_reason": _reason(found),
        "ended_cause": _cause(found, is_ended_by_us=known.is_ended_by_us),
        "provider": PROVIDER,
        "customer_id": known.customer.pk,
        "default_method": found.default_method_id,
        "collection_method": found.collection_method[:24],
        "cancel_at": None if found.ended_at else found.cancel_at,
        "trial_ends_at": found.trial_ends_at,
        "discount_ends_at": discount_ends_at(found, now),
        "is_collection_paused": found.is_collection_paused,
        "pause_ends_at": found.pause_ends_at,
    }


def _terms(found: SubscriptionFacts, known: Known, now: datetime) -> dict[str, Any]:
    item = main_item(found, now)
    terms: dict[str, Any] = {"mrr_minor": mrr_minor(found, now), "currency": found.currency[:3]}
    if known.plan is not None:
        terms["plan_id"] = known.plan.pk
    if item is not None and item.price.interval:
        terms["billing_interval"], _ = interval_of(item.price)
        terms["seats"] = None if item.price.is_metered else item.quantity
    return terms


def first_draft(found: SubscriptionFacts, known: Known, now: datetime) -> Draft:
    """One that was not here. Its history is not known: what holds now has held since it began, or since its trial ended."""
    terms = _terms(found, known, now)
    if found.ended_at is not None:
        terms["mrr_minor"] = _mrr_at_end(found, now)
    ended_at = _end(found)
    trial_end = found.trial_ends_at
    has_tried = trial_end is not None and found.started_at < trial_end <= now
    # An end before the trial's leaves nothing that was paid for.
    is_paid_later = has_tried and trial_end is not None and (ended_at is None or trial_end < ended_at)
    first = terms | ({"mrr_minor": 0} if has_tried else {})
    row = Subscription(
        account_id=known.account_id,
        external_id=found.id,
        started_at=found.started_at,
        ended_at=ended_at,
        **_values(found, known, now),
        **first,
    )
    _set_term(row, found, now)
    draft = begin(row)
    if is_paid_later:
        amend(draft, terms, effective_at=trial_end, now=now)
    return draft


def changed_draft(
    row: Subscription,
    changes: list[SubscriptionChange],
    found: SubscriptionFacts,
    known: Known,
    *,
    now: datetime,
    changed_at: datetime,
) -> Draft:
    """What is known of one that is here, with its changes by their time; nothing is read or written."""
    draft = Draft(row, changes)
    was_over, read_at = row.ended_at is not None, row.fetched_at
    draft.set({"account_id": known.account_id, **_values(found, known, now), "ended_at": _end(found)})
    if not changes:
        changes.append(begin(row).changes[0])
    if found.ended_at is None:
        _set_term(row, found, now)
        _amend(draft, _terms(found, known, now), found, now, changed_at)
    elif not was_over:
        # Its last change may never have been read while it still lived: the end is of what it was worth then.
        told_before = changed_at if changed_at < found.ended_at else read_at or changed_at
        terms = _terms(found, known, now) | {"mrr_minor": _mrr_at_end(found, now)}
        _amend(draft, terms, found, now, told_before)
    return draft


def _amend(
    draft: Draft, terms: dict[str, Any], found: SubscriptionFacts, now: datetime, changed_at: datetime
) -> None:
    """Other terms hold from when the provider told of them; after a trial from its end."""
    last = draft.changes[-1]
    when = min(changed_at, now)
    trial_end = found.trial_ends_at
    if trial_end is not None and last.mrr_minor == 0 and last.effective_at < trial_end <= now:
        when = trial_end
    try:
        amend(draft, terms, effective_at=max(when, last.effective_at), now=now)
    except Contradiction:  # dated outside of its life by two clocks: it holds from the last change on
        amend(draft, terms, effective_at=None, now=now)


def _set_term(row: Subscription, found: SubscriptionFacts, now: datetime) -> None:
    item = main_item(found, now)
    if item is not None and item.price.interval:
        row.term_months = interval_of(item.price)[1]


def _mrr_at_end(found: SubscriptionFacts, now: datetime) -> int:
    """What it was worth when it ended; nothing if it ended on trial."""
    is_trial = found.trial_ends_at is not None and found.ended_at is not None
    if is_trial and found.ended_at <= found.trial_ends_at:  # type: ignore[operator]
        return 0
    return mrr_minor(found, found.ended_at or now)


def _end(found: SubscriptionFacts) -> datetime | None:
    """One whose first bill was never paid was over when it began: nobody was a customer for a day."""
    if found.ended_at is None or found.status == _NEVER_BEGAN:
        return found.started_at if found.status == _NEVER_BEGAN else None
    return max(found.ended_at, found.started_at)


def _reason(found: SubscriptionFacts) -> str:
    """Why, in the customer's words where they said; else what happened. Empty while nobody leaves; a contract that
    only runs out has no reason either."""
    if found.feedback:
        return found.feedback if found.feedback in CancellationReason.values else CancellationReason.OTHER
    is_leaving = found.ended_at is not None or found.cancel_at is not None
    return found.reason[:40] if is_leaving else ""


def _cause(found: SubscriptionFacts, *, is_ended_by_us: bool) -> str:
    if found.ended_at is None:
        return ""
    if is_ended_by_us:  # the provider calls that "requested" too
        return EndedCause.INVOLUNTARY
    return str(_CAUSES.get(found.reason, EndedCause.UNKNOWN))


def ended_by_us(subscription_ids: Iterable[str]) -> set[str]:
    """Those that the platform's own order ended, for unpaid bills."""
    orders = BillingOrder.objects.filter(kind=OrderKind.CANCEL, made_by=MadeBy.PLATFORM)
    ours = orders.filter(subscription__external_id__in=set(subscription_ids), sent_at__isnull=False)
    return set(ours.exclude(state=OrderState.FAILED).values_list("subscription__external_id", flat=True))


def _save(draft: Draft) -> None:
    draft.subscription.save()
    corrected = [change for change, _ in draft.corrected.values()]
    for change in corrected:
        change.save()
    for change in [one for one in draft.changes if one._state.adding]:
        change.subscription = draft.subscription
        change.save()
