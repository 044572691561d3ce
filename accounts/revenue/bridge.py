"""The MRR bridge: how each month's opening MRR became its closing MRR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accounts.revenue.ledger import Ledger
from accounts.revenue.rates import Ints
from accounts.revenue.steps import Kind, Steps, steps


@dataclass(frozen=True, slots=True)
class Bridge:
    """One interval, all amounts in minor units of the report currency and unsigned but for `rates`:

    closing = opening + new + expansion - contraction - churn + reactivation + rates

    (convention, as ChartMogul and Baremetrics draw it). `rates` is what changed exchange rates did to MRR
    that stood still, the first rate of a currency included; it is 0 where all MRR is in the report currency.
    Counts are accounts; `customers` have MRR at the opening.
    """

    opening: int
    new: int
    expansion: int
    contraction: int
    churn: int
    reactivation: int
    rates: int
    closing: int
    customers: int
    customers_new: int
    customers_lost: int
    customers_back: int
    customers_closing: int

    @property
    def adds_up(self) -> bool:
        gained = self.new + self.expansion + self.reactivation
        return self.opening + gained - self.contraction - self.churn + self.rates == self.closing


def bridges(ledger: Ledger, instants: Sequence[int]) -> list[Bridge]:
    """The bridge of each interval [instant, next instant)."""
    balances = ledger.balances(instants)
    values = ledger.value(balances, instants).sum(axis=0)
    customers = (ledger.per_account((balances > 0).astype(np.int64)) > 0).sum(axis=0)
    moved, counted = _sums(steps(ledger), instants)
    found = []
    for at in range(len(instants) - 1):
        opening, closing = int(values[at]), int(values[at + 1])
        amounts = {kind: int(moved[kind, at]) for kind in Kind}
        found.append(
            Bridge(
                opening=opening,
                new=amounts[Kind.NEW],
                expansion=amounts[Kind.EXPANSION],
                contraction=-amounts[Kind.CONTRACTION],
                churn=-amounts[Kind.CHURN],
                reactivation=amounts[Kind.REACTIVATION],
                rates=closing - opening - sum(amounts.values()),
                closing=closing,
                customers=int(customers[at]),
                customers_new=int(counted[Kind.NEW, at]),
                customers_lost=int(counted[Kind.CHURN, at]),
                customers_back=int(counted[Kind.REACTIVATION, at]),
                customers_closing=int(customers[at + 1]),
            )
        )
    return found


def _sums(found: Steps, instants: Sequence[int]) -> tuple[Ints, Ints]:
    """[kind, interval]: signed amounts, and how many accounts' steps they are."""
    intervals = len(instants) - 1
    place = np.searchsorted(np.array(instants, dtype=np.int64), found.at, side="right") - 1
    inside = (place >= 0) & (place < intervals)
    amounts = np.zeros((len(Kind), intervals), dtype=np.int64)
    counts = np.zeros((len(Kind), intervals), dtype=np.int64)
    np.add.at(amounts, (found.kind[inside], place[inside]), found.delta[inside])
    np.add.at(counts, (found.kind[inside], place[inside]), 1)
    return amounts, counts
