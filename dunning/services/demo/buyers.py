"""Which customers of the demo pay at the fake Stripe, and how their cards answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from accounts.models import Account, Invoice, Subscription
from dunning.services.cases import payer_of
from dunning.services.demo.shop import GOOD, Buyer, anniversaries

# How long ago the last renewal of a buyer may be; of those whose payments pass, a few are enough.
LATEST, LATEST_GOOD = timedelta(days=26), timedelta(days=9)
# What the cards of these days answer after their last good charge, the latest failure first: what is weeks old and
# still open waits for somebody. Who failed already in the simulated story fails here; at most so many others do.
ANSWERS: tuple[tuple[str, ...], ...] = (
    ("processing_error", "ok"),
    ("insufficient_funds", "ok"),
    ("authentication_required",),
    ("insufficient_funds", "insufficient_funds", "ok"),
    ("expired_card",),
    ("duplicate_transaction",),
    ("generic_decline", "generic_decline"),
    ("lost_card",),
    ("do_not_honor",),
    ("card_not_supported",),
    ("insufficient_funds", "insufficient_funds", "insufficient_funds", "insufficient_funds"),
)
MOST_OTHERS = 3


def chosen_buyers(now: datetime) -> list[Buyer]:
    """Accounts with one monthly subscription that was renewed in the last days, and how their cards answer."""
    rows = Subscription.objects.filter(
        billing_interval="month", ended_at__isnull=True, status="active", provider="", seats__gt=0
    )
    found: list[Buyer] = []
    for row in rows.select_related("account", "plan").order_by("pk"):
        days = anniversaries(row.started_at, now)
        has_even_seats = row.plan is not None and row.mrr_minor > 0 and row.mrr_minor % row.seats == 0
        if days is None or not has_even_seats or not timedelta(hours=4) <= now - days[1] <= LATEST:
            continue
        found.append(_buyer(row, days))
    return _answering(sorted(found, key=lambda one: one.renewed_at, reverse=True), now)


def _answering(buyers: list[Buyer], now: datetime) -> list[Buyer]:
    """Whose card fails, and a few of those whose cards are good."""
    recent = Invoice.objects.filter(due_at__gt=now - LATEST, attempts__status="failed", provider="")
    failed = dict(recent.values_list("account__external_id", "status"))
    owing = [one for one in buyers if failed.get(one.account) == "open"]
    others = [one for one in buyers if one.account not in failed]
    more = min(max(len(ANSWERS) - len(owing), 0), MOST_OTHERS)
    failing = owing[: len(ANSWERS)] + others[:: max(len(others) // max(more, 1), 1)][:more]
    failing.sort(key=lambda one: one.renewed_at, reverse=True)
    chosen = {one.account for one in failing}
    good = [
        one
        for one in others
        if one.account not in chosen and one.currency == "USD" and now - one.renewed_at <= LATEST_GOOD
    ]
    return [replace(one, answers=answers) for one, answers in zip(failing, ANSWERS, strict=False)] + [
        replace(one, answers=GOOD) for one in good
    ]


def _buyer(row: Subscription, days: tuple[datetime, datetime]) -> Buyer:
    account: Account = row.account
    payer = payer_of(Invoice(account=account, account_id=account.pk))
    assert row.plan is not None
    seats = row.seats or 1
    return Buyer(
        account=account.external_id,
        name=account.name,
        email=payer.email if payer else "",
        language=payer.language if payer else "en",
        country=account.country[:2] or "US",
        product=row.plan.name,
        seats=seats,
        seat_minor=row.mrr_minor // seats,
        currency=row.currency,
        began_at=row.started_at,
        paid_from=days[0],
        renewed_at=days[1],
    )
