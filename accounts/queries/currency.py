"""Exchange rates as they are applied: by the date of what is valued, never by today's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Min

from accounts.models import ExchangeRate, MrrMovement, Subscription, Workspace
from accounts.revenue.rates import DatedRates
from cs_platform.lib.periods import day_start, local_day, microseconds


def dated_rates(workspace: Workspace) -> DatedRates:
    """All rates into the report currency; each holds from the first instant of its local day on. One query."""
    rows = ExchangeRate.objects.order_by("currency", "on_date").values_list("currency", "on_date", "rate")
    return DatedRates(
        workspace.report_currency,
        [(currency, microseconds(day_start(day, workspace.zone)), rate) for currency, day, rate in rows],
    )


@dataclass(frozen=True, slots=True)
class CurrencyNeed:
    """A currency that customers pay in: since when, and from when on there is a rate (None = never)."""

    currency: str
    used_from: date | None
    rate_from: date | None

    @property
    def is_missing(self) -> bool:
        """Some MRR in it cannot be shown in the report currency."""
        if self.rate_from is None:
            return True
        return self.used_from is not None and self.used_from < self.rate_from


def currency_needs(workspace: Workspace) -> list[CurrencyNeed]:
    """Every foreign currency of subscriptions and their history, by name; three queries."""
    used: dict[str, date | None] = dict.fromkeys(
        Subscription.objects.order_by("currency").values_list("currency", flat=True).distinct()
    )
    first = MrrMovement.objects.values("currency").annotate(first=Min("occurred_at")).order_by("currency")
    used |= {row["currency"]: local_day(row["first"], workspace.zone) for row in first}
    known: Mapping[str, date] = dict(
        ExchangeRate.objects.values_list("currency").annotate(first=Min("on_date")).order_by("currency")
    )
    return [
        CurrencyNeed(currency, since, known.get(currency))
        for currency, since in sorted(used.items())
        if currency != workspace.report_currency
    ]
