"""The bridge and the retention once more, slowly: subscription by subscription, instant by instant, in plain Python.

Shares no code with `accounts/revenue`: it never looks at movements, and adds up the terms themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

FIELDS = ("opening", "new", "expansion", "contraction", "churn", "reactivation", "rates", "closing")


@dataclass(frozen=True)
class Term:
    """Terms that hold over [begins, ends); `ends` None = still."""

    account: int
    currency: str
    begins: int
    ends: int | None
    mrr: int


def mrr(terms: Sequence[Term], account: int, currency: str, moment: int, *, after: bool) -> int:
    """MRR right after the instant, or right before it."""
    total = 0
    for term in terms:
        if (term.account, term.currency) == (account, currency):
            began = term.begins <= moment if after else term.begins < moment
            ended = term.ends is not None and (term.ends <= moment if after else term.ends < moment)
            total += term.mrr if began and not ended else 0
    return total


def worth(amount: int, rate: Decimal) -> int:
    return int((Decimal(amount) * rate).quantize(Decimal(1), ROUND_HALF_UP))


class Book:
    """`rates`: per currency (instant, rate) ascending; the report currency has the rate 1."""

    def __init__(self, terms: Sequence[Term], rates: dict[str, list[tuple[int, Decimal]]]) -> None:
        self.terms = terms
        self.rates = rates
        self.accounts = sorted({term.account for term in terms})
        self.currencies = sorted({term.currency for term in terms})

    def rate(self, currency: str, moment: int, *, after: bool) -> Decimal:
        known = [r for i, r in self.rates[currency] if (i <= moment if after else i < moment)]
        return known[-1] if known else Decimal(0)

    def total(self, moment: int) -> int:
        return sum(
            worth(mrr(self.terms, a, c, moment, after=False), self.rate(c, moment, after=False))
            for a in self.accounts
            for c in self.currencies
        )

    def is_customer(self, account: int, moment: int, *, after: bool) -> bool:
        return any(mrr(self.terms, account, c, moment, after=after) > 0 for c in self.currencies)

    def bridge(self, start: int, end: int) -> dict[str, int]:
        found = dict.fromkeys(FIELDS, 0) | {"opening": self.total(start), "closing": self.total(end)}
        for account in self.accounts:
            self._walk(account, start, end, found)
        return found

    def _walk(self, account: int, start: int, end: int, found: dict[str, int]) -> None:
        moments = sorted(
            {m for t in self.terms if t.account == account for m in (t.begins, t.ends) if m is not None}
        )
        ever = False
        stands = {
            c: worth(mrr(self.terms, account, c, start, after=False), self.rate(c, start, after=False))
            for c in self.currencies
        }
        for moment in moments:
            before, now = (self.is_customer(account, moment, after=after) for after in (False, True))
            if start <= moment < end:
                delta = self._step(account, moment, stands, found)
                if now and not before:
                    found["reactivation" if ever else "new"] += delta
                elif before and not now:
                    found["churn"] -= delta
                else:
                    found["expansion" if delta >= 0 else "contraction"] += abs(delta)
            ever = ever or now
        for c in self.currencies:
            last = worth(mrr(self.terms, account, c, end, after=False), self.rate(c, end, after=False))
            found["rates"] += last - stands[c]

    def _step(self, account: int, moment: int, stands: dict[str, int], found: dict[str, int]) -> int:
        """What the instant did, in the report currency; what rates did since the last look goes to `rates`."""
        delta = 0
        for c in self.currencies:
            before, now = (mrr(self.terms, account, c, moment, after=after) for after in (False, True))
            if before != now:
                rate = self.rate(c, moment, after=True)
                found["rates"] += worth(before, rate) - stands[c]
                delta += worth(now, rate) - worth(before, rate)
                stands[c] = worth(now, rate)
        return delta

    def retention(self, start: int, end: int) -> dict[str, int]:
        """Of accounts whose currencies all have a rate before the start."""
        found = dict.fromkeys(("customers", "lost", "start", "expansion", "contraction", "churn"), 0)
        for account in self.accounts:
            was, stays = (self.is_customer(account, m, after=False) for m in (start, end))
            if not was:
                continue
            first, last = (
                sum(
                    worth(mrr(self.terms, account, c, m, after=False), self.rate(c, start, after=False))
                    for c in self.currencies
                )
                for m in (start, end)
            )
            found["customers"] += 1
            found["start"] += first
            if not stays:
                found["lost"] += 1
                found["churn"] += first
            elif last > first:
                found["expansion"] += last - first
            else:
                found["contraction"] += first - last
        return found
