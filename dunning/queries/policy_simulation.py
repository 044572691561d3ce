"""Failed payments of the last 90 days, replayed under two policies beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min

from accounts.models import PaymentAttempt
from dunning.cases.words import reason_words
from dunning.policy.definition import PolicyDefinition
from dunning.policy.facts import AttemptFact
from dunning.policy.simulating import PastFailure, Replayed, Totals, replay_all, totals

PAST = timedelta(days=90)
MOST_FAILURES, SHOWN = 500, 12
FAILED = PaymentAttempt.Status.FAILED
COLUMNS = (
    "invoice_id",
    "attempted_at",
    "status",
    "decline_code",
    "advice_code",
    "network_code",
    "brand",
    "fingerprint",
    "invoice__paid_at",
    "invoice__amount_minor",
    "invoice__currency",
    "invoice__customer__country",
    "account__country",
    "account__name",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One count, under the policy in force and under the typed one."""

    label: str
    before: int
    after: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Differing:
    """A failure that the two policies treat differently."""

    name: str
    code: str
    amount_minor: int
    currency: str
    failed_at: datetime
    before: Replayed
    after: Replayed


@dataclass(frozen=True, slots=True)
class Simulation:
    """`failures` replayed, the newest where there are more than MOST_FAILURES; `changed` of them differ."""

    failures: int
    is_cut: bool
    before: Totals
    after: Totals
    changed: int
    differing: tuple[Differing, ...]


def simulate(
    before: PolicyDefinition, after: PolicyDefinition, *, now: datetime, zone: ZoneInfo
) -> Simulation:
    """Both policies over the same past."""
    failures = past_failures(now=now)
    old = replay_all(failures, before, zone=zone)
    new = old if after == before else replay_all(failures, after, zone=zone)
    differing = [
        (one, other)
        for one, other in zip(old, new, strict=True)
        if (one.retries, one.notices_at) != (other.retries, other.notices_at)
    ]
    return Simulation(
        failures=len(failures),
        is_cut=len(failures) == MOST_FAILURES,
        before=totals(old, zone=zone),
        after=totals(new, zone=zone),
        changed=len(differing),
        differing=tuple(_differing(one, other) for one, other in differing[:SHOWN]),
    )


def reasons(found: Simulation) -> list[Line]:
    """Why invoices got no retry at all, most frequent first."""
    old, new = found.before.by_reason, found.after.by_reason
    codes = sorted({*old, *new}, key=lambda code: (-new.get(code, 0), -old.get(code, 0), code))
    return [Line(reason_words(code), old.get(code, 0), new.get(code, 0)) for code in codes]


def past_failures(*, now: datetime) -> list[PastFailure]:
    """Invoices whose first try failed in the last 90 days, the newest first."""
    first = (
        PaymentAttempt.objects.filter(attempted_at__gte=now - PAST - timedelta(days=60), attempted_at__lt=now)
        .filter(status=FAILED)
        .values("invoice_id")
        .annotate(first=Min("attempted_at"))
        .filter(first__gte=now - PAST)
        .order_by("-first")
    )
    ids = [row["invoice_id"] for row in first[:MOST_FAILURES]]
    rows = (
        PaymentAttempt.objects.filter(invoice_id__in=ids, attempted_at__lt=now)
        .order_by("invoice_id", "attempted_at", "number")
        .values_list(*COLUMNS)
    )
    found = list(_grouped(rows))
    return sorted(found, key=lambda failure: failure.failed_at, reverse=True)


def _grouped(rows: Iterable[tuple[Any, ...]]) -> Iterator[PastFailure]:
    for invoice_id, group in groupby(rows, key=lambda row: row[0]):
        attempts = list(group)
        refusals = tuple(_fact(row) for row in attempts if row[2] == FAILED)
        *_rest, paid_at, amount, currency, customer_country, account_country, name = attempts[0]
        country = next((c for c in (customer_country, account_country) if c and len(c) == 2), "")
        if refusals:
            yield PastFailure(str(invoice_id), amount, currency, refusals, paid_at, country.upper(), name)


def _fact(row: tuple[Any, ...]) -> AttemptFact:
    """The one stored network code is Mastercard's advice or Visa's answer, by the brand."""
    _invoice, at, _status, code, advice, network, brand, card, *_rest = row
    fact = AttemptFact(at, decline_code=code, advice_code=advice, brand=brand, card=card)
    if brand == "mastercard":
        return replace(fact, network_advice_code=network)
    return replace(fact, network_decline_code=network)


def _differing(before: Replayed, after: Replayed) -> Differing:
    failure = before.failure
    return Differing(
        name=failure.name,
        code=failure.refusals[0].decline_code,
        amount_minor=failure.amount_minor,
        currency=failure.currency,
        failed_at=failure.failed_at,
        before=before,
        after=after,
    )
