"""What the sections of one report page share: the filter, the workspace, the ledger read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import numpy as np

from accounts.models import Account, Workspace
from accounts.queries.report_filter import Period, ReportFilter
from accounts.queries.revenue import read_ledger
from accounts.registry import AccountGroup, AccountSplit, account_splits
from accounts.revenue.bridge import Bridge, bridges
from accounts.revenue.ledger import Bools, Ledger
from accounts.revenue.retention import Positions, Retention
from accounts.revenue.steps import Steps, steps
from cs_platform.lib.among import among
from cs_platform.lib.periods import add_months, local_day

YEAR = 12


@dataclass
class ReportContext:
    """Everything is computed when a section asks for it, and then kept for the others (`kept`: by apps above)."""

    workspace: Workspace
    wanted: ReportFilter
    now: datetime
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        return self.wanted.period

    @property
    def currency(self) -> str:
        return self.workspace.report_currency

    @cached_property
    def ledger(self) -> Ledger:
        return read_ledger(self.workspace, now=self.now)

    @cached_property
    def steps(self) -> Steps:
        return steps(self.ledger)

    @cached_property
    def bridges(self) -> list[Bridge]:
        """One per month of the period, the running one included."""
        return bridges(self.ledger, self.period.boundaries)

    @cached_property
    def positions(self) -> Positions:
        """Balances at every month's start, from a year before the period to its end."""
        months = [add_months(self.period.first, -at) for at in range(YEAR, 0, -1)]
        before = [self.period.boundary(month) for month in months]
        return Positions(self.ledger, [*before, *self.period.boundaries])

    @cached_property
    def monthly(self) -> list[Retention]:
        """Of the customers at each month's start, at its end."""
        return [self.positions.retention(YEAR + at, YEAR + at + 1) for at in range(len(self.period.months))]

    @cached_property
    def yearly(self) -> list[Retention]:
        """Up to the end of each month: of the customers twelve months earlier."""
        return [self.positions.retention(at + 1, YEAR + at + 1) for at in range(len(self.period.months))]

    @cached_property
    def whole(self) -> Retention:
        """Over the full months of the period."""
        return self.over(self.period)

    @cached_property
    def earlier(self) -> Retention:
        """Over as many months before it."""
        return self.over(self.period.before())

    def over(self, period: Period, of: Bools | None = None) -> Retention:
        return Positions(self.ledger, [period.start, period.full_end]).retention(0, 1, of)

    @cached_property
    def split(self) -> AccountSplit | None:
        """The split that was asked for, else the first one."""
        known = sorted(account_splits, key=lambda split: split.order)
        return next((s for s in known if s.name == self.wanted.split), known[0] if known else None)

    @cached_property
    def groups(self) -> Sequence[AccountGroup]:
        return self.split.groups(self) if self.split else []

    def members(self, group: AccountGroup) -> Bools:
        """Which of the ledger's accounts are in the group."""
        return np.isin(self.ledger.accounts, np.array(sorted(group.account_ids), dtype=np.int64))

    def names(self, account_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Name and external id by account; one query, which makes no objects of thousands of accounts."""
        rows = Account.objects.filter(among("pk", account_ids)).values_list("pk", "name", "external_id")
        return {pk: (name, external_id) for pk, name, external_id in rows}

    def day(self, instant: int) -> date:
        """The local day of an instant of the ledger."""
        return local_day(datetime.fromtimestamp(instant // 1_000_000, UTC), self.workspace.zone)
