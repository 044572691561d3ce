"""What is going to happen to subscriptions, and who must hear of it: payments, expiries, prices, discounts.

Days are the workspace's local ones. Nobody is named who has left or is leaving on purpose.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.models import (
    BillingInterval,
    LetGo,
    PaymentMethod,
    Subscription,
    SubscriptionChange,
)
from cs_platform.lib.periods import local_day
from dunning.models import AdvanceNoticeKind
from dunning.policy.definition import PolicyDefinition, ReminderScope

MONTHS = {BillingInterval.MONTH: 1, BillingInterval.QUARTER: 3, BillingInterval.YEAR: 12}
Kind = AdvanceNoticeKind


@dataclass(frozen=True)
class Coming:
    """One thing to tell of one account. `about_on` is its day, `days_before` the mark that is reached."""

    kind: AdvanceNoticeKind
    account_id: int
    subject: str
    about_on: date
    days_before: int
    what: str = ""
    amount_minor: int = 0
    before_minor: int = 0
    currency: str = ""
    method: PaymentMethod | None = None
    next_on: date | None = field(default=None)
    interval: str = ""
    before_interval: str = ""


def coming(policy: PolicyDefinition, *, zone: ZoneInfo, now: datetime) -> list[Coming]:
    """Everything whose day to tell has come, at most one per cause and date. A constant number of queries."""
    today = local_day(now, zone)
    running = _running(now)
    methods = _methods(running)
    changes = _changes(running, now)
    found: list[Coming] = []
    for one in running:
        method = methods.get(_method_name(one))
        found += _renewal(one, policy, method, today, zone)
        found += _expiry(one, policy, method, today, zone)
        found += _discount(one, policy, today, zone)
        found += _price(one, changes.get(one.pk), policy, today, zone)
    return found


def _running(now: datetime) -> list[Subscription]:
    """Subscriptions that go on: not ended, not ending, not of accounts that the team lets go."""
    gone = LetGo.objects.filter(withdrawn_at__isnull=True).values("account_id")
    rows = Subscription.objects.filter(
        Q(ended_at__isnull=True), Q(cancel_at__isnull=True), is_collection_paused=False, started_at__lte=now
    ).exclude(account_id__in=gone)
    return list(rows.select_related("plan", "customer").order_by("pk"))


def _method_name(one: Subscription) -> str:
    return str(one.default_method or (one.customer.default_method if one.customer else ""))


def _methods(running: Iterable[Subscription]) -> dict[str, PaymentMethod]:
    names = {name for one in running if (name := _method_name(one))}
    rows = PaymentMethod.objects.filter(external_id__in=names, detached_at__isnull=True)
    return {method.external_id: method for method in rows}


def _changes(running: list[Subscription], now: datetime) -> dict[int, SubscriptionChange]:
    """The next known change of each subscription's terms."""
    rows = SubscriptionChange.objects.filter(subscription__in=running, effective_at__gt=now)
    return {row.subscription_id: row for row in rows.select_related("plan").order_by("-effective_at")}


def _mark(days: Iterable[int], left: int) -> int | None:
    """The tightest mark that is reached: 30, 14, 7 with nine days left is 14. One that was missed is not made up."""
    reached = [mark for mark in days if 0 <= left <= mark]
    return min(reached, default=None)


def _renewal(
    one: Subscription, policy: PolicyDefinition, method: PaymentMethod | None, today: date, zone: ZoneInfo
) -> list[Coming]:
    if one.renews_at is None or policy.reminder_scope is ReminderScope.NOBODY or one.mrr_minor <= 0:
        return []
    is_annual = one.billing_interval == BillingInterval.YEAR or (one.term_months or 0) >= 12
    if policy.reminder_scope is ReminderScope.ANNUAL and not is_annual:
        return []
    days = policy.annual_reminder_days if is_annual else policy.reminder_days
    day = local_day(one.renews_at, zone)
    mark = _mark((days,), (day - today).days)
    if mark is None:
        return []
    return [_about(one, Kind.RENEWAL, day, mark, amount=_amount(one), method=method)]


def _expiry(
    one: Subscription, policy: PolicyDefinition, method: PaymentMethod | None, today: date, zone: ZoneInfo
) -> list[Coming]:
    """Only where a payment comes after the expiry; a card that the updater replaced has its new date already."""
    if method is None or method.exp_year is None or method.exp_month is None or one.renews_at is None:
        return []
    last = date(method.exp_year, method.exp_month, calendar.monthrange(method.exp_year, method.exp_month)[1])
    mark = _mark(policy.card_expiry_days, (last - today).days)
    next_on = local_day(one.renews_at, zone)
    months = MONTHS[BillingInterval(one.billing_interval)]
    while next_on <= last and months:
        next_on = _later(next_on, months)
    if mark is None or next_on - last > timedelta(days=366):
        return []
    found = _about(one, Kind.CARD_EXPIRES, last, mark, amount=_amount(one), method=method, next_on=next_on)
    return [found]


def _discount(one: Subscription, policy: PolicyDefinition, today: date, zone: ZoneInfo) -> list[Coming]:
    if one.discount_ends_at is None or policy.discount_end_days <= 0:
        return []
    day = local_day(one.discount_ends_at, zone)
    mark = _mark((policy.discount_end_days,), (day - today).days)
    return [] if mark is None else [_about(one, Kind.DISCOUNT_ENDS, day, mark)]


def _price(
    one: Subscription,
    change: SubscriptionChange | None,
    policy: PolicyDefinition,
    today: date,
    zone: ZoneInfo,
) -> list[Coming]:
    """A known change that costs another price for the same seats; its end of a discount is told as that."""
    if change is None or policy.price_change_days <= 0 or change.mrr_minor == one.mrr_minor:
        return []
    if one.discount_ends_at is not None and abs(one.discount_ends_at - change.effective_at) < timedelta(
        days=2
    ):
        return []
    day = local_day(change.effective_at, zone)
    mark = _mark((policy.price_change_days,), (day - today).days)
    if mark is None:
        return []
    months = MONTHS[BillingInterval(change.billing_interval)]
    found = _about(one, Kind.PRICE_CHANGE, day, mark, amount=change.mrr_minor * months, before=_amount(one))
    return [replace(found, interval=change.billing_interval, before_interval=one.billing_interval)]


def _about(
    one: Subscription,
    kind: AdvanceNoticeKind,
    day: date,
    mark: int,
    *,
    amount: int = 0,
    before: int = 0,
    method: PaymentMethod | None = None,
    next_on: date | None = None,
) -> Coming:
    is_card = kind is Kind.CARD_EXPIRES and method is not None
    return Coming(
        kind=kind,
        account_id=one.account_id,
        subject=method.external_id if is_card and method else one.external_id,
        about_on=day,
        days_before=mark,
        what=one.plan.name if one.plan else "",
        amount_minor=amount,
        before_minor=before,
        currency=one.currency,
        method=method,
        next_on=next_on,
    )


def _amount(one: Subscription) -> int:
    """What one interval costs."""
    return int(one.mrr_minor * MONTHS[BillingInterval(one.billing_interval)])


def _later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    year += day.year
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
