"""What the Queue page is asked for: the query string as one typed value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from accounts.models import LetGo, Membership, Role
from cs_platform.lib.scoping import ScopedQuerySet
from health.models import HealthBand, QueueEntry, QueueItem
from health.queries.keyset import Column, Order
from health.queries.list_filter import of_csm, words_in
from health.queries.search import with_words
from health.queries.segment_filter import in_segments, segment_ids

ACCOUNT = "account_id"
STATE = "account__state__"
NULLABLE = {"score": f"{STATE}health_score", "renewal": f"{STATE}renews_at"}
FILLED = {"name": "account__name", "opened": "opened_on", "arr": f"{STATE}arr_minor"}
DEFAULT_SORT = "-loss"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Filters, sort and page of the queue. `csm` is "mine", "all", "none" or a membership's public id."""

    csm: str
    view: str = ""
    bands: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    words: str = ""
    sort: str = DEFAULT_SORT
    after: str = ""
    before: str = ""

    @classmethod
    def from_query(cls, query: QueryDict, membership: Membership) -> QueueFilter:
        own = "mine" if membership.role == Role.CSM else "all"
        return cls(
            csm=query.get("csm") or own,
            view=_one_of(query.get("view", ""), ("no_arr", "snoozed")),
            bands=tuple(b for b in query.getlist("band") if b in HealthBand.values),
            causes=tuple(query.getlist("cause")),
            plans=tuple(query.getlist("plan")),
            industries=tuple(query.getlist("industry")),
            segments=segment_ids(query),
            words=words_in(query),
            sort=query.get("sort", DEFAULT_SORT),
            after=query.get("after", ""),
            before=query.get("before", ""),
        )

    @property
    def is_narrowed(self) -> bool:
        """True when more than the choice of CSM and view narrows the list."""
        narrowing = (self.bands, self.causes, self.plans, self.industries, self.segments, self.words)
        return any(narrowing)

    @property
    def widened(self) -> QueueFilter:
        """The same view without the narrowing filters."""
        return replace(
            self, bands=(), causes=(), plans=(), industries=(), segments=(), words="", after="", before=""
        )

    @property
    def order(self) -> Order:
        key, descending = self.sort.removeprefix("-"), self.sort.startswith("-")
        tail = Column(ACCOUNT, descending)
        if key in NULLABLE:
            return Order(self.sort, (Column(NULLABLE[key], descending, nullable=True), tail))
        if key in FILLED:
            return Order(self.sort, (Column(FILLED[key], descending), tail))
        descending = self.sort != "loss"
        columns = [Column(path, descending) for path in ("has_arr", "expected_loss_minor", ACCOUNT)]
        return Order("-loss" if descending else "loss", tuple(columns))

    def entries(self, *, membership: Membership, today: date) -> ScopedQuerySet:
        """The accounts to show, unordered; accounts let go are left out."""
        gone = LetGo.objects.filter(account_id=OuterRef(ACCOUNT), withdrawn_at__isnull=True)
        found = QueueEntry.objects.filter(~Exists(gone), of_csm(self.csm, membership), self._view(today))
        if self.bands:
            found = found.filter(**{f"{STATE}health_band__in": self.bands})
        if self.plans:
            found = found.filter(**{f"{STATE}plan__in": self.plans})
        if self.industries:
            found = found.filter(**{f"{STATE}industry__in": self.industries})
        if self.causes:
            items = QueueItem.objects.filter(
                account_id=OuterRef(ACCOUNT), source__in=self.causes, closed_at__isnull=True
            )
            found = found.filter(Exists(items))
        if self.segments:
            found = found.filter(in_segments(self.segments, ACCOUNT))
        return with_words(found, self.words, ACCOUNT)

    def _view(self, today: date) -> Q:
        if self.view == "snoozed":
            return Q(snoozed_until__gt=today)
        awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today)
        return awake & Q(has_arr=False) if self.view == "no_arr" else awake


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    return value if value in choices else ""
