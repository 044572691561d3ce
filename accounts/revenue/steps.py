"""Movements of whole accounts: what one instant did to an account's MRR over all its currencies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from accounts.revenue.ledger import Ledger
from accounts.revenue.rates import Ints


class Kind(IntEnum):
    """The words of `MrrMovement.Kind`, as codes of an array."""

    NEW = 0
    EXPANSION = 1
    CONTRACTION = 2
    CHURN = 3
    REACTIVATION = 4


@dataclass(frozen=True)
class Steps:
    """Sorted by account and instant. `account` is a place in `Ledger.accounts`; `delta` is signed."""

    account: Ints
    at: Ints
    kind: Ints
    delta: Ints


def steps(ledger: Ledger) -> Steps:
    """One row per account and instant, valued at the rate of its own day.

    An account is a customer while any of its lines has MRR. From none to some is *new* the first time and a
    *reactivation* later; from some to none is *churn*; so a move to another currency in one instant is
    neither. The rest is expansion or contraction by its sign.
    """
    order = np.lexsort((ledger.at, ledger.row_account))
    account, at = ledger.row_account[order], ledger.at[order]
    delta = _deltas(ledger)[order]
    opened = ((ledger.after > 0).astype(np.int64) - (ledger.before > 0).astype(np.int64))[order]
    if not at.size:
        empty = np.zeros(0, dtype=np.int64)
        return Steps(empty, empty, empty, empty)
    is_first = np.ones(at.size, dtype=bool)
    is_first[1:] = (account[1:] != account[:-1]) | (at[1:] != at[:-1])
    starts = np.flatnonzero(is_first)
    account, at = account[starts], at[starts]
    delta, opened = np.add.reduceat(delta, starts), np.add.reduceat(opened, starts)
    lines_after = _running(opened, account)
    kind = _kinds(account, lines_after, opened, delta)
    return Steps(account, at, kind, delta)


def _deltas(ledger: Ledger) -> Ints:
    found = np.zeros(ledger.at.size, dtype=np.int64)
    for code, currency in enumerate(ledger.currencies):
        here = ledger.currency == code
        at = ledger.at[here]
        after = ledger.rates.value_then(ledger.after[here], currency, at)
        found[here] = after - ledger.rates.value_then(ledger.before[here], currency, at)
    return found


def _running(values: Ints, group: Ints) -> Ints:
    """Running sum that begins anew with each group; groups are contiguous."""
    total = np.cumsum(values)
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    before = np.append(0, total)[starts]
    sizes = np.diff(np.append(starts, group.size))
    return total - np.repeat(before, sizes)


def _kinds(account: Ints, lines_after: Ints, opened: Ints, delta: Ints) -> Ints:
    lines_before = lines_after - opened
    begins = (lines_before == 0) & (lines_after > 0)
    earlier = _running(begins.astype(np.int64), account) - begins
    kind = np.where(delta >= 0, Kind.EXPANSION, Kind.CONTRACTION)
    kind = np.where((lines_before > 0) & (lines_after == 0), Kind.CHURN, kind)
    return np.where(begins, np.where(earlier == 0, Kind.NEW, Kind.REACTIVATION), kind).astype(np.int64)
