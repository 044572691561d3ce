"""What the accounts list is asked for: the query string as one typed value."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from accounts.models import LetGo, Membership
from cs_platform.lib.scoping import ScopedQuerySet
from health.models import AccountState, HealthBand, QueueEntry
from health.queries.keyset import Column, Order
from health.queries.list_filter import of_csm, order_of, sort_in, words_in
from health.queries.search import with_words
from health.queries.segment_filter import in_segments, segment_ids

COLUMNS = {
    "name": Column("name"),
    "loss": Column("expected_loss_minor"),
    "arr": Column("arr_minor"),
    "score": Column("health_score", nullable=True),
    "change": Column("health_change", nullable=True),
    "probability": Column("churn_probability", nullable=True),
    "renewal": Column("renews_at", nullable=True),
    "seen": Column("last_seen_on", nullable=True),
}
DEFAULT_SORT = "name"
STATUSES = ("customers", "lapsed", "let_go", "queued")


@dataclass(frozen=True, slots=True)
class AccountsFilter:
    """Filters, sort and page of the accounts list. `csm` as in QueueFilter; `status` one of STATUSES or ""."""

    csm: str = "all"
    status: str = "customers"
    bands: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    words: str = ""
    sort: str = DEFAULT_SORT
    after: str = ""
    before: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> AccountsFilter:
        status = query.get("status", "customers")
        return cls(
            csm=query.get("csm") or "all",
            status=status if status in STATUSES else "",
            bands=tuple(b for b in query.getlist("band") if b in (*HealthBand.values, "none")),
            plans=tuple(query.getlist("plan")),
            industries=tuple(query.getlist("industry")),
            segments=segment_ids(query),
            words=words_in(query),
            sort=sort_in(query, COLUMNS, DEFAULT_SORT),
            after=query.get("after", ""),
            before=query.get("before", ""),
        )

    @property
    def is_narrowed(self) -> bool:
        narrowing = (self.bands, self.plans, self.industries, self.segments, self.words)
        return any(narrowing) or self.csm != "all"

    @property
    def order(self) -> Order:
        return order_of(self.sort, COLUMNS, page="accounts", unique="account_id")

    def states(self, membership: Membership) -> ScopedQuerySet:
        """Unordered states of the accounts to show."""
        found = AccountState.objects.filter(of_csm(self.csm, membership), self._status(), self._bands())
        if self.plans:
            found = found.filter(plan__in=self.plans)
        if self.industries:
            found = found.filter(industry__in=self.industries)
        if self.segments:
            found = found.filter(in_segments(self.segments, "account_id"))
        return with_words(found, self.words, "account_id")

    def _status(self) -> Q:
        gone = Exists(LetGo.objects.filter(account_id=OuterRef("account_id"), withdrawn_at__isnull=True))
        queued = Exists(QueueEntry.objects.filter(account_id=OuterRef("account_id")))
        choices = {
            "customers": Q(is_customer=True),
            "lapsed": Q(is_customer=False),
            "let_go": Q(gone),
            "queued": Q(queued),
        }
        return choices.get(self.status, Q())

    def _bands(self) -> Q:
        if not self.bands:
            return Q()
        # "none" stands for accounts without a score, whose band is empty.
        return Q(health_band__in=["" if band == "none" else band for band in self.bands])
