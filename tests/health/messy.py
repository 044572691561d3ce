"""A small workspace with every kind of fact at awkward moments, drawn from a seed."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from accounts.models import (
    Account,
    AccountTrait,
    Activity,
    Contact,
    ExchangeRate,
    Invoice,
    PaymentAttempt,
    Plan,
    Subscription,
    SubscriptionChange,
    Ticket,
    TraitDefinition,
    Workspace,
)
from cs_platform.lib.periods import day_start
from health.models import AccountDay, ContactDays, KeyFeature, UsageRollup

AS_OF = date(2026, 3, 30)  # the day after Europe's clocks went forward
EPOCH = date(1970, 1, 1)
NAMES = ["Signed In", "Report Created", "Export", "Comment"]


class Draw:
    """Facts around AS_OF, many of them exactly on the edges of windows."""

    def __init__(self, seed: int, workspace: Workspace) -> None:
        self.random = random.Random(seed)
        self.zone = workspace.zone

    def moment(self, first: int = 420, last: int = -60) -> datetime:
        """An instant between `first` and `last` days before AS_OF, in one of three cases a local midnight."""
        day = AS_OF - timedelta(
            days=self.random.choice([self.random.randint(last, first), 0, 28, 56, 60, 90, 180])
        )
        start = day_start(day, self.zone)
        seconds = self.random.choice([0, 0, -1, self.random.randint(1, 80_000)])
        return start + timedelta(seconds=seconds)

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    def build(self, accounts: int = 12) -> None:
        self.plans = [
            Plan.objects.create(name=n, list_mrr_minor=9_900, currency="USD") for n in ("A", "B", "C")
        ]
        for day, rate in ((date(2025, 1, 1), "0.5"), (date(2025, 11, 1), "0.25"), (AS_OF, "9")):
            ExchangeRate.objects.create(currency="EUR", on_date=day, rate=Decimal(rate))
        ExchangeRate.objects.create(currency="KRW", on_date=date(2025, 1, 1), rate=Decimal("0.0007"))
        for name in NAMES[1:3]:
            KeyFeature.objects.create(name=name)
        self.traits = [
            TraitDefinition.objects.create(key=key, label=key, kind=kind)
            for key, kind in (("size", "number"), ("since", "date"), ("vip", "boolean"), ("tier", "text"))
        ]
        for number in range(accounts):
            self.account(number)

    def account(self, number: int) -> None:
        account = Account.objects.create(
            external_id=f"a{number}", name=f"Account {number}", created_at=self.moment(400, 5)
        )
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            self.subscription(account)
        self.usage(account)
        for _ in range(self.random.choice([0, 0, 3, 8])):
            self.ticket(account)
        for at in range(self.random.choice([0, 2, 5])):
            self.contact(account, at)
        self.money(account)
        for definition in self.traits:
            for known in ([None] if self.maybe(0.5) else []) + ([self.moment()] if self.maybe(0.5) else []):
                self.trait(account, definition, known)

    def subscription(self, account: Account) -> None:
        started, ended = self.moment(420, -20), self.moment(300, -60) if self.maybe(0.4) else None
        currency = self.random.choice(["USD", "EUR", "KRW", "CHF"])
        terms = {"currency": currency, "billing_interval": self.random.choice(["month", "quarter", "year"])}
        subscription = Subscription.objects.create(
            account=account,
            external_id=f"s{Subscription.objects.count()}",
            plan=self.random.choice(self.plans),
            mrr_minor=1,
            seats=None,
            started_at=started,
            ended_at=ended if ended and ended >= started else None,
            renews_at=self.moment(-1, -400) if self.maybe(0.3) else None,
            term_months=24 if self.maybe(0.2) else None,
            **terms,
        )
        moments = {started} | {self.moment(400, -30) for _ in range(self.random.choice([0, 1, 3]))}
        for at in sorted(moment for moment in moments if moment >= started):
            SubscriptionChange.objects.create(
                subscription=subscription,
                effective_at=at,
                known_at=at + timedelta(days=self.random.choice([0, 0, 0, 40])) if at != started else at,
                plan=self.random.choice(self.plans),
                mrr_minor=self.random.randint(0, 500_000),
                seats=self.random.choice([None, 5, 40]),
                **terms,
            )

    def usage(self, account: Account) -> None:
        if self.maybe(0.2):
            return
        rate, quiet = self.random.random(), self.random.choice([0, 0, 20, 45, 70])
        people: dict[tuple[str, int], int] = {}
        self.rollups: list[UsageRollup] = []
        self.days: list[AccountDay] = []
        for back in range(-5, 100):
            day = AS_OF - timedelta(days=back)
            if back >= quiet and self.maybe(rate):
                self.day(account, day, people)
        UsageRollup.objects.bulk_create(self.rollups)
        AccountDay.objects.bulk_create(self.days)
        ContactDays.objects.bulk_create(
            ContactDays(account=account, person_key=person, block=block, bits=bits)
            for (person, block), bits in people.items()
        )

    def day(self, account: Account, day: date, people: dict[tuple[str, int], int]) -> None:
        names = self.random.sample(NAMES, self.random.randint(1, 4))
        counts = {name: self.random.randint(1, 9) for name in names}
        active = self.random.sample(["p1", "p2", "p3", "p4"], self.random.randint(1, 4))
        self.rollups += [
            UsageRollup(account=account, name=name, day=day, events=events, quantity=events * 1.5)
            for name, events in counts.items()
        ]
        total = sum(counts.values())
        self.days.append(
            AccountDay(
                account=account,
                day=day,
                events=total,
                quantity=total * 1.5,
                active_contacts=len(active),
                distinct_names=len(names),
            )
        )
        number = (day - EPOCH).days
        for person in active:
            key = (person, number // 32)
            people[key] = people.get(key, 0) | 1 << number % 32

    def ticket(self, account: Account) -> None:
        opened = self.moment(300, -30)
        Ticket.objects.create(
            account=account,
            external_id=f"t{Ticket.objects.count()}",
            opened_at=opened,
            closed_at=opened + timedelta(days=self.random.randint(0, 90)) if self.maybe(0.7) else None,
            priority=self.random.choice(["low", "normal", "urgent"]),
            satisfaction=self.random.choice([None, 1, 4.5]),
        )

    def contact(self, account: Account, at: int) -> None:
        Contact.objects.create(
            account=account,
            external_id=f"{account.external_id}-{at}",
            name=f"Person {at}",
            email=f"p{at}@{account.external_id}.example",
            is_champion=self.maybe(0.4),
            left_at=self.moment(120, -30) if self.maybe(0.4) else None,
            created_at=self.moment(400, -10),
        )

    def money(self, account: Account) -> None:
        for _ in range(self.random.choice([0, 2])):
            due = self.moment(200, -20)
            invoice = Invoice.objects.create(
                account=account,
                external_id=f"i{Invoice.objects.count()}",
                amount_minor=100,
                currency="USD",
                status=self.random.choice(["open", "paid", "void", "uncollectible"]),
                due_at=due,
                paid_at=due + timedelta(days=self.random.randint(-3, 40)) if self.maybe(0.5) else None,
            )
            PaymentAttempt.objects.create(
                invoice=invoice,
                account=account,
                number=1,
                attempted_at=due - timedelta(days=365 if self.maybe(0.5) else 0),
                status=self.random.choice(["failed", "succeeded"]),
            )
        for _ in range(self.random.choice([0, 2])):
            Activity.objects.create(
                account=account, kind="call", is_touch=self.maybe(0.7), occurred_at=self.moment(200, -20)
            )

    def trait(self, account: Account, definition: TraitDefinition, known: datetime | None) -> None:
        number = None if definition.kind == "text" else float(self.random.randint(0, 20_000))
        AccountTrait.objects.create(
            account=account, definition=definition, value_text="x", value_number=number, known_at=known
        )


def build(seed: int, workspace: Workspace) -> None:
    """Fill the running scope's workspace."""
    Draw(seed, workspace).build()


__all__ = ["AS_OF", "UTC", "build"]
