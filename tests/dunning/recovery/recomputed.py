"""The recovery report once more, from the raw rows in plain Python: histories of cases, attempts, rates.

Nothing of the product that computes is used here: no case column but what its history says, no query of the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import ExchangeRate, PaymentAttempt, SubscriptionChange
from dunning.models import DunningCase, DunningStep

NO_CENTS = {"KRW", "JPY"}
NEVER_RETRIED = {"hard_network", "not_this_purchase"}
ENDS = {"end_state_applied", "closed", "voided", "subscription_canceled"}


@dataclass
class Told:
    """One failed payment as its history tells it; `worth` and `back` in cents of the report currency."""

    account: int
    failed_at: datetime
    currency: str
    amount: int
    kind: str
    brand: str
    country: str
    plan: str
    state: str
    cause: str
    back_amount: int
    paid_at: datetime | None
    was_told: bool
    has_card: bool
    was_worked: bool
    worth: int | None
    back: int

    def week(self, zone: ZoneInfo) -> date:
        return monday(self.failed_at, zone)


def monday(moment: datetime, zone: ZoneInfo) -> date:
    day = moment.astimezone(zone).date()
    return date.fromisocalendar(*day.isocalendar()[:2], 1)


def cents(amount: int, currency: str, day: date, report: str = "USD") -> int | None:
    """By the last rate of that day or before."""
    if currency == report:
        return amount
    rates = [row for row in ExchangeRate.objects.all() if row.currency == currency and row.on_date <= day]
    if not rates:
        return None
    major = Decimal(amount) / (1 if currency in NO_CENTS else 100)
    worth = major * max(rates, key=lambda row: row.on_date).rate * 100
    return int(worth.quantize(Decimal(1), ROUND_HALF_UP))


def all_told(zone: ZoneInfo) -> list[Told]:
    """Every case of the running scope."""
    steps: dict[int, list[DunningStep]] = defaultdict(list)
    for step in DunningStep.objects.all():
        steps[step.case_id].append(step)
    tries: dict[int, list[PaymentAttempt]] = defaultdict(list)
    for one in PaymentAttempt.objects.all():
        tries[one.invoice_id].append(one)
    cases = DunningCase.objects.select_related("invoice__subscription__plan")
    return [
        _told(case, sorted(steps[case.pk], key=lambda s: s.number), tries[case.invoice_id], zone)
        for case in cases
    ]


def _told(case: Any, steps: list[DunningStep], tries: list[PaymentAttempt], zone: ZoneInfo) -> Told:
    opened = steps[0].detail
    failed_at = datetime.fromisoformat(opened["failed_at"])
    day = failed_at.astimezone(zone).date()
    state, cause, paid_at, paid = "open", "", None, 0
    has_card = was_told = handed = by_customer = mailed = False
    failures = 1
    for step in steps:
        detail = step.detail
        was_told |= step.kind == "notice_begun"
        mailed |= step.kind == "notice_sent"
        handed |= step.kind == "handed_over"
        failures += step.kind == "retry_failed"
        if step.kind == "card_updated":
            has_card, by_customer = True, detail.get("made_by", "person") == "person"
        if state != "open":
            continue
        if step.kind == "retry_succeeded":
            customer = by_customer or detail.get("made_by") == "person"
            if detail.get("made_by") == "csm" or (handed and customer):
                cause = "person"
            else:
                cause = "notice" if customer or mailed else "silent_retry"
            state, paid_at, paid = "recovered", step.happened_at, detail["amount_minor"]
        elif step.kind == "paid_elsewhere":
            state, cause, paid_at, paid = "recovered", "elsewhere", step.happened_at, detail["amount_minor"]
        elif step.kind in ENDS:
            state = "lost"
    first = min(
        (one for one in tries if one.status == "failed"), key=lambda one: (one.attempted_at, one.number)
    )
    return Told(
        account=case.account_id,
        failed_at=failed_at,
        currency=opened["currency"],
        amount=opened["amount_minor"],
        kind=opened.get("decline_class", ""),
        brand=first.brand,
        country=first.country,
        plan=_plan(case, failed_at),
        state=state,
        cause=cause,
        back_amount=paid,
        paid_at=paid_at,
        was_told=was_told,
        has_card=has_card,
        was_worked=failures > 1 or was_told or handed,
        worth=cents(opened["amount_minor"], opened["currency"], day),
        back=cents(paid, opened["currency"], day) or 0,
    )


def _plan(case: Any, when: datetime) -> str:
    subscription = case.invoice.subscription
    if subscription is None:
        return ""
    terms = [
        row
        for row in SubscriptionChange.objects.filter(subscription=subscription)
        if row.effective_at <= when
    ]
    plan = max(terms, key=lambda row: row.effective_at).plan if terms else subscription.plan
    return plan.name if plan else ""


def figures(rows: Iterable[Told]) -> dict[str, Any]:
    """Every figure of one group of failed payments; money in major units as text, as the sheets write it."""
    rows = list(rows)
    back = [row for row in rows if row.state == "recovered"]
    open_ones = [row for row in rows if row.state == "open"]
    lost = [row for row in rows if row.state == "lost"]
    days = [(row.paid_at - row.failed_at) / timedelta(days=1) for row in back if row.paid_at]
    found: dict[str, Any] = {
        "failed": len(rows),
        "recovered": len(back),
        "open": len(open_ones),
        "lost": len(lost),
        "failed_USD": sum(row.worth or 0 for row in rows),
        "recovered_USD": sum(row.back for row in back),
        "open_USD": sum(row.worth or 0 for row in open_ones),
        "lost_USD": sum(row.worth or 0 for row in lost),
        "without_rate": sum(row.worth is None for row in rows),
        "median_days": round(median(days), 2) if days else None,
    }
    for cause in ("silent_retry", "notice", "person", "elsewhere"):
        found[cause] = sum(row.cause == cause for row in back)
        found[f"{cause}_USD"] = sum(row.back for row in back if row.cause == cause)
    return found


def grouped(rows: Iterable[Told], key: Callable[[Told], Any]) -> dict[Any, list[Told]]:
    found: dict[Any, list[Told]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def first_tries(zone: ZoneInfo, *, since: date) -> dict[date, tuple[int, int]]:
    """By local week from `since` on: invoices tried for the first time, and how many of these tries failed."""
    first: dict[int, PaymentAttempt] = {}
    for one in sorted(PaymentAttempt.objects.all(), key=lambda one: (one.attempted_at, one.number)):
        first.setdefault(one.invoice_id, one)
    weeks: dict[date, tuple[int, int]] = {}
    for one in first.values():
        week = monday(one.attempted_at, zone)
        if one.status != "pending" and week >= since and one.attempted_at < datetime.now(UTC):
            tries, failed = weeks.get(week, (0, 0))
            weeks[week] = tries + 1, failed + (one.status == "failed")
    return weeks


def rate(part: int, whole: int) -> str:
    """As a page writes it."""
    return f"{100 * part / whole:.1f}% ({part:,} of {whole:,})"
