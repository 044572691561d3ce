"""Every metric once more, from the rows themselves, one account after the other, in plain Python.

Written from `docs/metrics.md` and not from the SQL: the two must agree.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from accounts.models import (
    Account,
    AccountTrait,
    Activity,
    Contact,
    ExchangeRate,
    Invoice,
    PaymentAttempt,
    Subscription,
    SubscriptionChange,
    Ticket,
    TraitDefinition,
    Workspace,
)
from cs_platform.lib.money import minor_places
from cs_platform.lib.periods import day_start, local_day
from health.models import AccountDay, ContactDays, KeyFeature, UsageRollup

EPOCH = date(1970, 1, 1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
Values = dict[str, float | None]


class SlowMetrics:
    """Metrics of the running scope's workspace as of one day."""

    def __init__(self, workspace: Workspace, as_of: date, *, is_rebuilt: bool = False) -> None:
        self.workspace, self.as_of, self.is_rebuilt = workspace, as_of, is_rebuilt
        self.now = self.instant(0)
        self.tracked_since = min((d.day for d in AccountDay.objects.all() if d.day < as_of), default=None)

    def instant(self, back: int) -> datetime:
        return day_start(self.as_of - timedelta(days=back), self.workspace.zone)

    def day(self, back: int) -> date:
        return self.as_of - timedelta(days=back)

    def all(self) -> dict[int, Values]:
        found = {}
        for account in Account.objects.all():
            self.account = account
            self.subscriptions = [
                s for s in Subscription.objects.filter(account=account) if s.started_at < self.now
            ]
            self.days = [d for d in AccountDay.objects.filter(account=account) if d.day < self.as_of]
            if self.subscriptions or self.days:
                began = min([account.created_at, *(s.started_at for s in self.subscriptions)])
                self.age = max((self.as_of - local_day(began, self.workspace.zone)).days, 0)
                found[account.pk] = {
                    **self.usage(),
                    **self.billing(),
                    **self.support(),
                    **self.people(),
                    **self.traits(),
                }
        return found

    def usage(self) -> Values:
        tracked = self.tracked_since is not None
        last, before = self.window(28, 0), self.window(56, 28)
        events, events_before = sum(d.events for d in last), sum(d.events for d in before)
        contact_days = sum(d.active_contacts for d in last)
        active, active_before = self.active(28, 0), self.active(56, 28)
        names = [
            u for u in UsageRollup.objects.filter(account=self.account) if self.day(28) <= u.day < self.as_of
        ]
        logins = [
            u.day
            for u in UsageRollup.objects.filter(account=self.account, name="Signed In")
            if self.day(28) <= u.day < self.as_of
        ]
        signs_in = any(
            u.name == "Signed In" and self.day(28) <= u.day < self.as_of for u in UsageRollup.objects.all()
        )
        keys = [k.name for k in KeyFeature.objects.all()]
        both = tracked and self.age >= 56 and (self.as_of - self.tracked_since).days >= 56
        seats = self.seats(0)
        named = any(
            d.active_contacts and self.day(56) <= d.day < self.as_of for d in AccountDay.objects.all()
        )
        persons: Values = {
            "dau": contact_days / 28,
            "wau": len(self.active(7, 0)),
            "mau": len(active),
            "active_contacts_28": len(active),
            "lapsed_contacts_28": len(active_before - active),
            "licence_utilisation": 100 * len(active) / seats if seats else None,
        }
        counted: Values = {
            "active_days_7": len(self.window(7, 0)),
            "active_days_28": len(last),
            "events_28": events,
            "quantity_28": sum(d.quantity for d in last),
            "features_used_28": len({u.name for u in names}),
            "key_features_adopted": 100 * len({u.name for u in names} & set(keys)) / len(keys),
            **{f"feature:{k}": len({u.day for u in names if u.name == k}) for k in keys},
        }
        return {
            **{name: value if tracked else None for name, value in counted.items()},
            **{name: value if named else None for name, value in persons.items()},
            "days_since_last_seen": (self.as_of - max(d.day for d in self.days)).days if self.days else None,
            "days_since_login": ((self.as_of - max(logins)).days if logins else 29)
            if signs_in and self.days
            else None,
            "stickiness": 100 * contact_days / 28 / len(active) if active else None,
            "intensity": events / contact_days if contact_days else None,
            "usage_change_28": change(events, events_before) if both and self.window(56, 0) else None,
            "active_contacts_change_28": change(len(active), len(active_before)) if both else None,
        }

    def window(self, first: int, last: int) -> list[AccountDay]:
        return [d for d in self.days if self.day(first) <= d.day < self.day(last)]

    def active(self, first: int, last: int) -> set[str]:
        found = set()
        for row in ContactDays.objects.filter(account=self.account):
            days = [EPOCH + timedelta(days=row.block * 32 + i) for i in range(32) if row.bits >> i & 1]
            if any(self.day(first) <= d < self.day(last) for d in days):
                found.add(row.person_key)
        return found

    def billing(self) -> Values:
        running = self.running(0)
        mrr, mrr_before = self.mrr(0), self.mrr(180)
        renewals = [self.renewal(s, t) for s, t in running]
        return {
            "mrr_minor": None if mrr is None else float(math.floor(mrr + 0.5)),
            "seats": self.seats(0),
            "subscriptions": len(running),
            "days_to_renewal": min(started_days(r - self.now) for r in renewals) if renewals else None,
            "long_term": float(max(self.term(s, t) for s, t in running) >= 6) if running else None,
            "tenure_days": self.age,
            "mrr_change_180": change(mrr, mrr_before),
            "price_change_180": change(self.seat_price(0), self.seat_price(180)),
            "plan_changes_365": self.plan_changes() if self.subscriptions else None,
            **self.payments(),
        }

    def running(self, back: int) -> list[tuple[Subscription, Any]]:
        at = self.instant(back)
        found = []
        for s in self.subscriptions:
            if s.started_at < at and (s.ended_at is None or s.ended_at >= at):
                known = SubscriptionChange.objects.filter(
                    subscription=s, effective_at__lt=at, known_at__lt=self.now
                ).order_by("effective_at")
                found.append((s, known.last() or s))
        return found

    def rate(self, currency: str, back: int) -> float | None:
        report = self.workspace.report_currency
        if currency == report:
            return 1.0
        rates = ExchangeRate.objects.filter(currency=currency, on_date__lt=self.day(back)).order_by("on_date")
        last = rates.last()
        return float(last.rate) * 10.0 ** (minor_places(report) - minor_places(currency)) if last else None

    def mrr(self, back: int, *, seated: bool = False) -> float | None:
        amounts = [
            t.mrr_minor * rate
            for _s, t in self.running(back)
            if (rate := self.rate(t.currency, back)) is not None and (t.seats or not seated)
        ]
        return sum(amounts) if amounts else None

    def seats(self, back: int) -> float | None:
        seats = [t.seats for _s, t in self.running(back) if t.seats is not None]
        return float(sum(seats)) if seats else None

    def seat_price(self, back: int) -> float | None:
        seats, mrr = self.seats(back), self.mrr(back, seated=True)
        return mrr / seats if seats and mrr is not None else self.mrr(back)

    def term(self, s: Subscription, t: Any) -> int:
        return s.term_months or MONTHS[t.billing_interval]

    def renewal(self, s: Subscription, t: Any) -> datetime:
        if s.renews_at and s.renews_at > self.now and not self.is_rebuilt:
            return s.renews_at
        anchor, step = s.renews_at or s.started_at, self.term(s, t)
        dates = (plus_months(anchor, n * step) for n in range(-60, 600))
        return next(d for d in dates if d > self.now)

    def plan_changes(self) -> float:
        count = 0
        for s in self.subscriptions:
            known = SubscriptionChange.objects.filter(
                subscription=s, effective_at__lt=self.now, known_at__lt=self.now
            )
            rows = list(known.order_by("effective_at"))
            count += sum(
                b.plan_id != a.plan_id and b.effective_at >= self.instant(365) for a, b in pairwise(rows)
            )
        return count

    def payments(self) -> Values:
        known = (
            Invoice.objects.filter(due_at__lt=self.now).exists()
            or PaymentAttempt.objects.filter(attempted_at__lt=self.now).exists()
        )
        failed = [
            p
            for p in PaymentAttempt.objects.filter(account=self.account, status="failed")
            if self.instant(90) <= p.attempted_at < self.now
        ]
        unpaid = [
            i
            for i in Invoice.objects.filter(account=self.account)
            if i.due_at < self.now
            and (i.paid_at is None or i.paid_at >= self.now)
            and i.status not in ("draft", "void")
        ]
        return {
            "failed_payments_90": len(failed) if known else None,
            "unpaid_invoices": len(unpaid) if known else None,
            **self.failing(known),
        }

    def failing(self, known: bool) -> Values:
        """Open invoices with a failed try: what they are worth, and since when the oldest one is."""
        owed, since = 0.0, []
        for invoice in Invoice.objects.filter(account=self.account, status="open"):
            tries = [
                one
                for one in PaymentAttempt.objects.filter(invoice=invoice, status="failed")
                if self.instant(365) <= one.attempted_at < self.now
            ]
            left = invoice.amount_minor - invoice.amount_paid_minor
            if tries and left > 0:
                owed += left * (self.rate(invoice.currency, 0) or 0)
                since.append(min(one.attempted_at for one in tries))
        days = int((self.now - min(since)).total_seconds() // 86_400) if since else 0
        return {
            "failed_open_minor": round(owed) if known else None,
            "days_past_due": days if known else None,
        }

    def support(self) -> Values:
        tickets = [t for t in Ticket.objects.filter(account=self.account) if t.opened_at < self.now]
        opened = [t for t in tickets if t.opened_at >= self.instant(28)]
        before = [t for t in tickets if self.instant(56) <= t.opened_at < self.instant(28)]
        ratings = [
            t.satisfaction
            for t in tickets
            if t.satisfaction is not None and t.closed_at and self.instant(180) <= t.closed_at < self.now
        ]
        found: Values = {
            "open_tickets": sum(t.closed_at is None or t.closed_at >= self.now for t in tickets),
            "tickets_28": len(opened),
            "tickets_change_28": len(opened) - len(before),
            "urgent_tickets_90": sum(
                t.priority == "urgent" and t.opened_at >= self.instant(90) for t in tickets
            ),
        }
        known = Ticket.objects.filter(opened_at__lt=self.now).exists()
        mean = sum(ratings) / len(ratings) if ratings else None
        return {k: v if known else None for k, v in found.items()} | {"ticket_satisfaction_180": mean}

    def people(self) -> Values:
        everybody = [c for c in Contact.objects.filter(account=self.account) if c.created_at < self.now]
        here = [c for c in everybody if c.left_at is None or c.left_at >= self.now]
        champions = [c for c in everybody if c.is_champion]
        left = [c for c in champions if c.left_at and self.instant(60) <= c.left_at < self.now]
        known = Contact.objects.filter(created_at__lt=self.now).exists()
        touches = Activity.objects.filter(account=self.account, is_touch=True, occurred_at__lt=self.now)
        last = touches.order_by("occurred_at").last()
        return {
            "contacts_count": len(here) if known else None,
            "champions": sum(c.is_champion for c in here) if known else None,
            "champion_left_60": float(bool(left)) if champions else None,
            "days_since_csm_touch": started_days(self.now - last.occurred_at) if last else None,
        }

    def traits(self) -> Values:
        found: Values = {}
        for definition in TraitDefinition.objects.exclude(kind="text"):
            rows = AccountTrait.objects.filter(account=self.account, definition=definition)
            known = [r for r in rows if r.known_at is None or r.known_at < self.now]
            latest = max(known, key=lambda r: (r.known_at is not None, r.known_at), default=None)
            value = latest.value_number if latest else None
            if value is not None and definition.kind == "date":
                value = (self.as_of - EPOCH).days - value
            found[f"trait:{definition.key}"] = value
        return found


def change(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else 100 * (now - before) / before


def started_days(delta: timedelta) -> int:
    return math.ceil(delta / timedelta(days=1))


def plus_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.month - 1 + months, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=moment.year + year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(months)
