"""Which terms of contracts came to their end in a period, and what became of their revenue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Workspace
from accounts.revenue.rates import DatedRates
from cs_platform.lib.money import convert
from cs_platform.lib.periods import microseconds

LONG_TERM_MONTHS = 6
GRACE = timedelta(days=30)

_MONTHS = (
    "coalesce(s.term_months, CASE s.billing_interval WHEN 'year' THEN 12 WHEN 'quarter' THEN 3 ELSE 1 END)"
)
# Of the accounts with a long contract all subscriptions: a short one may have taken its place.
_CONTRACTS = f"""
SELECT s.id, s.account_id, s.started_at, s.ended_at, coalesce(s.renews_at, s.started_at), {_MONTHS}
FROM accounts_subscription s
WHERE s.workspace_id = %(workspace)s AND s.account_id IN (
    SELECT s.account_id FROM accounts_subscription s
    WHERE s.workspace_id = %(workspace)s AND s.started_at < %(end)s AND {_MONTHS} >= %(least)s
        AND (s.ended_at IS NULL OR s.ended_at >= %(start)s - make_interval(months => {_MONTHS}))
)
"""
_CHANGES = """
SELECT subscription_id, effective_at, mrr_minor, currency FROM accounts_subscriptionchange
WHERE workspace_id = %(workspace)s AND subscription_id = ANY(%(ids)s) ORDER BY subscription_id, effective_at
"""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One term that ended at `due_at`. Amounts are yearly, in minor units of the report currency, both at the
    rate of the due date; None = no rate. `renewed_minor` is 0 for a contract that was not renewed."""

    account_id: int
    due_at: datetime
    due_minor: int | None
    renewed_minor: int | None
    is_renewed: bool


@dataclass(frozen=True)
class _Contract:
    pk: int
    account_id: int
    started_at: datetime
    ended_at: datetime | None
    anchor: datetime
    term_months: int
    terms: tuple[tuple[datetime, int, str], ...]

    def at(self, moment: datetime) -> tuple[int, str] | None:
        """MRR and currency in force at the moment, or None before the start and after the end."""
        if moment < self.started_at or (self.ended_at is not None and self.ended_at <= moment):
            return None
        known = [(mrr, currency) for since, mrr, currency in self.terms if since <= moment]
        return known[-1] if known else None

    def dues(self, start: datetime, end: datetime) -> Iterable[datetime]:
        """Ends of terms in [start, end), stepped in whole terms from the anchor.

        A contract that ended was due on the day it ended, whatever term it was in: its last renewal date is
        gone from the mirror. A step less than 30 days before that is the same renewal.
        """
        if self.ended_at is not None and start <= self.ended_at < end:
            yield self.ended_at
        number = (
            (start.year - self.anchor.year) * 12 + start.month - self.anchor.month
        ) // self.term_months - 1
        while (due := plus_months(self.anchor, number * self.term_months)) < end:
            if (
                due >= start
                and due > self.started_at
                and (self.ended_at is None or due < self.ended_at - GRACE)
            ):
                yield due
            number += 1


def plus_months(moment: datetime, months: int) -> datetime:
    """The same day of another month, or its last day."""
    years, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=years, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=years, month=month + 1)


def renewals(
    workspace: Workspace, rates: DatedRates, *, start: datetime, end: datetime, now: datetime
) -> list[Renewal]:
    """Terms of six months or more that ended in [start, end) before `now`; two queries.

    Renewed: 30 days after the due date (or now, if that is sooner) the contract still runs, or another one of
    the account that began within 30 days of its end. Due is what it was worth right before the due date or its
    earlier end; renewed is what it, or the other one, is worth then.
    """
    contracts = _contracts(workspace, start, end)
    by_account = defaultdict(list)
    for contract in contracts:
        by_account[contract.account_id].append(contract)
    found = [
        _renewal(contract, due, by_account[contract.account_id], rates, now)
        for contract in contracts
        if contract.term_months >= LONG_TERM_MONTHS
        for due in contract.dues(start, min(end, now))
    ]
    return sorted((one for one in found if one), key=lambda one: (one.due_at, one.account_id))


def _contracts(workspace: Workspace, start: datetime, end: datetime) -> list[_Contract]:
    values: dict[str, Any] = {
        "workspace": workspace.pk,
        "start": start,
        "end": end,
        "least": LONG_TERM_MONTHS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS, values)
        rows = cursor.fetchall()
        cursor.execute(_CHANGES, {"workspace": workspace.pk, "ids": [row[0] for row in rows]})
        terms: dict[int, list[tuple[datetime, int, str]]] = defaultdict(list)
        for pk, since, mrr, currency in cursor.fetchall():
            terms[pk].append((since, mrr, currency))
    return [
        _Contract(pk, account, started, ended, anchor, months, tuple(terms[pk]))
        for pk, account, started, ended, anchor, months in rows
    ]


def _renewal(
    contract: _Contract, due: datetime, siblings: list[_Contract], rates: DatedRates, now: datetime
) -> Renewal | None:
    last = min(due, contract.ended_at) if contract.ended_at else due
    was = contract.at(last - timedelta(microseconds=1))
    if was is None or was[0] <= 0:
        return None
    then = min(due + GRACE, now)
    after = contract.at(then) or _after(contract, contract.ended_at or then, then, siblings)
    moment = microseconds(due)
    return Renewal(
        contract.account_id,
        due,
        _yearly(was, rates, moment),
        _yearly(after, rates, moment) if after else 0,
        after is not None,
    )


def _after(
    contract: _Contract, ended: datetime, then: datetime, siblings: list[_Contract]
) -> tuple[int, str] | None:
    """The contract that took this one's place, if one did."""
    for other in siblings:
        if other.pk != contract.pk and abs(other.started_at - ended) <= GRACE:
            return other.at(max(then, other.started_at))
    return None


def _yearly(amount: tuple[int, str], rates: DatedRates, moment: int) -> int | None:
    mrr, currency = amount
    rate = rates.before(currency, moment)
    return None if rate is None else convert(12 * mrr, currency, rates.report, rate)
