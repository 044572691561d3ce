"""Who stayed, and how much of their revenue: the accounts of a start, looked at again at an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accounts.revenue.ledger import Bools, Ledger
from accounts.revenue.rates import Ints


@dataclass(frozen=True, slots=True)
class Retention:
    """The customers of the start of a period, and what they were at its end. Who came later is not in it.

    Amounts are MRR in minor units of the report currency, start and end at the rates of the start, so that
    a moved exchange rate is neither expansion nor contraction. Each account is compared with itself once:
    churn = its start where it has none left, contraction = what it has less, expansion = what it has more.
    Sources of the formulas: facts on customer success, section 12.

    - `nrr` = (start + expansion - contraction - churn) / start, on the same customers (Vitally,
      "Measuring NRR": 1.0 M - 25 K - 25 K + 150 K = 110 %).
    - `grr` = (start - churn - contraction) / start, no expansion, so at most 1 (convention).
    - `logo_churn` = customers lost / customers at the start (convention).
    - `revenue_churn` = MRR of the lost customers / MRR at the start, contraction not in it (convention).

    Rates are None where nobody was there at the start. `unpriced` accounts had MRR in a currency without a
    rate; they count as customers and are left out of the amounts.
    """

    customers: int
    lost: int
    start: int
    expansion: int
    contraction: int
    churn: int
    unpriced: int

    @property
    def end(self) -> int:
        return self.start + self.expansion - self.contraction - self.churn

    @property
    def nrr(self) -> float | None:
        return self.end / self.start if self.start else None

    @property
    def grr(self) -> float | None:
        return (self.start - self.churn - self.contraction) / self.start if self.start else None

    @property
    def logo_churn(self) -> float | None:
        return self.lost / self.customers if self.customers else None

    @property
    def revenue_churn(self) -> float | None:
        return self.churn / self.start if self.start else None


class Positions:
    """Balances of all lines at a row of instants, from which the retention of any pair of them is read."""

    def __init__(self, ledger: Ledger, instants: Sequence[int]) -> None:
        self.ledger = ledger
        self.instants = list(instants)
        self.balances = ledger.balances(instants)
        self.is_customer: Bools = ledger.per_account((self.balances > 0).astype(np.int64)) > 0
        self._unpriced = ledger.unpriced(self.balances, instants)

    def retention(self, start: int, end: int, of: Bools | None = None) -> Retention:
        """From the instant numbered `start` to the one numbered `end`, of some accounts or all."""
        was, stays = self.is_customer[:, start], self.is_customer[:, end]
        if of is not None:
            was = was & of
        before, after, priced = self._amounts(start, end)
        known = was & priced
        change = np.where(known & stays, after - before, 0)
        return Retention(
            customers=int(was.sum()),
            lost=int((was & ~stays).sum()),
            start=int(before[known].sum()),
            expansion=int(change[change > 0].sum()),
            contraction=int(-change[change < 0].sum()),
            churn=int(before[known & ~stays].sum()),
            unpriced=int((was & ~priced).sum()),
        )

    def _amounts(self, start: int, end: int) -> tuple[Ints, Ints, Bools]:
        """Per account: MRR at both instants in the report currency at the start's rates, and whether all has one."""
        instants = [self.instants[start], self.instants[end]]
        raw = self.balances[:, [start, end]]
        values = self.ledger.value(raw, instants, held=(instants[0], instants[1]))
        lacking = self._lacking(instants[0], instants[1])[:, None] & (raw > 0)
        unpriced = np.asarray(lacking.any(axis=1), dtype=np.int64)
        priced = self.ledger.per_account(unpriced) == 0
        sums = self.ledger.per_account(values)
        return sums[:, 0], sums[:, 1], priced

    def _lacking(self, start: int, end: int) -> Bools:
        """Lines whose currency has no rate before the end. `value` gives them 0."""
        rates = self.ledger.rates
        known = np.array(
            [rates.between(c, start, end) is not None for c in self.ledger.currencies], dtype=bool
        )
        return ~known[self.ledger.line_currency] if known.size else np.zeros(0, dtype=bool)

    def unpriced_accounts(self) -> Ints:
        """Accounts per instant whose MRR is not, or not whole, in the sums of that instant."""
        return (self.ledger.per_account(self._unpriced.astype(np.int64)) > 0).sum(axis=0)
