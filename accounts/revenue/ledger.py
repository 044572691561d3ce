"""Every change of every account's MRR, as arrays, and what they add up to at given instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accounts.revenue.rates import DatedRates, Ints, valued

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ledger:
    """Movements, sorted by account, currency and instant; one account in one currency is a *line*.

    `currency` indexes `currencies`; `before` and `after` are the line's MRR in its own minor units.
    """

    account_ids: Ints
    currency: Ints
    at: Ints
    before: Ints
    after: Ints
    currencies: tuple[str, ...]
    rates: DatedRates

    @property
    def is_empty(self) -> bool:
        return self.at.size == 0

    @cached_property
    def line_starts(self) -> Ints:
        """The first row of each line."""
        is_new = np.ones(self.at.size, dtype=bool)
        is_new[1:] = (self.account_ids[1:] != self.account_ids[:-1]) | (
            self.currency[1:] != self.currency[:-1]
        )
        return np.flatnonzero(is_new).astype(np.int64)

    @cached_property
    def line_currency(self) -> Ints:
        return self.currency[self.line_starts]

    @cached_property
    def accounts(self) -> Ints:
        """Ids of the accounts, ascending; results per account are aligned to it."""
        return np.unique(self.account_ids)

    @cached_property
    def account_starts(self) -> Ints:
        """The first line of each account."""
        ids = self.account_ids[self.line_starts]
        return np.searchsorted(ids, self.accounts).astype(np.int64)

    @cached_property
    def row_account(self) -> Ints:
        """The place of each row's account in `accounts`."""
        return np.searchsorted(self.accounts, self.account_ids).astype(np.int64)

    def per_account(self, of_lines: Ints) -> Ints:
        """Sums over the lines of each account, along the first axis."""
        if not self.line_starts.size:
            return of_lines[:0]
        return np.add.reduceat(of_lines, self.account_starts, axis=0)

    def balances(self, instants: Sequence[int]) -> Ints:
        """[line, instant]: MRR just before each instant, in the line's own minor units."""
        found = np.zeros((self.line_starts.size, len(instants)), dtype=np.int64)
        for at, instant in enumerate(instants):
            if not self.line_starts.size:
                break
            passed = np.add.reduceat((self.at < instant).astype(np.int64), self.line_starts)
            last = np.maximum(self.line_starts + passed - 1, 0)
            found[:, at] = np.where(passed > 0, self.after[last], 0)
        return found

    def value(self, balances: Ints, instants: Sequence[int], *, held: tuple[int, int] | None = None) -> Ints:
        """The same in the report currency, each at the rate in force just before its instant.

        `held`: all at the rate before its first instant, or else the first rate before its second (constant
        currency). 0 where no rate is known.
        """
        found = np.zeros(balances.shape, dtype=np.int64)
        for at, instant in enumerate(instants):
            for code, currency in enumerate(self.currencies):
                rates = self.rates
                rate = rates.between(currency, *held) if held else rates.before(currency, instant)
                if rate is not None:
                    here = self.line_currency == code
                    found[here, at] = valued(balances[here, at], currency, self.rates.report, rate)
        return found

    def unpriced(self, balances: Ints, instants: Sequence[int]) -> Bools:
        """[line, instant]: MRR that no rate then known could turn into the report currency."""
        found = np.zeros(balances.shape, dtype=bool)
        for at, instant in enumerate(instants):
            for code, currency in enumerate(self.currencies):
                if self.rates.before(currency, instant) is None:
                    here = self.line_currency == code
                    found[here, at] = balances[here, at] > 0
        return found
