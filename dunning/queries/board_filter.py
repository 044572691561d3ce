"""What the case board is asked for: the query string as one typed value."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from accounts.models import Membership
from cs_platform.lib.scoping import ScopedQuerySet
from dunning.cases.state import Phase, State
from dunning.models import DunningCase
from dunning.policy.classes import DeclineClass
from health.queries.keyset import Column, Order
from health.queries.list_filter import of_csm, order_of, sort_in, words_in
from health.queries.search import with_words
from health.queries.segment_filter import in_segments, segment_ids

COLUMNS = {
    "opened": Column("opened_at"),
    "amount": Column("amount_minor"),
    "next": Column("next_retry_at", nullable=True),
    "ends": Column("ends_at"),
    "tries": Column("attempts"),
}
DEFAULT_SORT = "-opened"
PHASES = tuple(phase.value for phase in Phase if phase)


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Filters, sort and page of the board. `state` is a state of a case or "all"; `csm` as in the queue."""

    state: str = "open"
    csm: str = "all"
    phases: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    words: str = ""
    sort: str = DEFAULT_SORT
    after: str = ""
    before: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> BoardFilter:
        state = query.get("state", "open")
        return cls(
            state=state if state in (*State, "all") else "open",
            csm=query.get("csm") or "all",
            phases=tuple(one for one in query.getlist("phase") if one in PHASES),
            classes=tuple(one for one in query.getlist("class") if one in set(DeclineClass)),
            segments=segment_ids(query),
            words=words_in(query),
            sort=sort_in(query, COLUMNS, DEFAULT_SORT),
            after=query.get("after", ""),
            before=query.get("before", ""),
        )

    @property
    def is_narrowed(self) -> bool:
        return any((self.phases, self.classes, self.segments, self.words)) or self.csm != "all"

    @property
    def order(self) -> Order:
        return order_of(self.sort, COLUMNS, page="dunning", unique="id")

    def cases(self, membership: Membership) -> ScopedQuerySet:
        """Unordered cases to show."""
        found = DunningCase.objects.filter(of_csm(self.csm, membership, "account__csm"))
        if self.state != "all":
            found = found.filter(state=self.state)
        if self.phases:
            found = found.filter(phase__in=self.phases)
        if self.classes:
            found = found.filter(decline_class__in=self.classes)
        if self.segments:
            found = found.filter(in_segments(self.segments, "account_id"))
        return with_words(found, self.words, "account_id")
