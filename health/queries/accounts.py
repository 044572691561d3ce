"""The accounts list: every account with the latest of everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from accounts.models import Membership
from cs_platform.lib.money import to_major
from health.models import AccountState
from health.queries.accounts_filter import AccountsFilter
from health.queries.bands import BAND_WORDS, band_word
from health.queries.choices import Choice
from health.queries.keyset import page_of
from health.queries.queue_export import MOST_ROWS
from health.queries.segment_filter import segment_choices

PAGE_SIZE = 50
# Above this, choices of filters come from the first accounts only, so that the page costs the same anywhere.
WINDOW = 5000


@dataclass(frozen=True, slots=True)
class AccountsPage:
    rows: list[AccountState]
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class AccountsFacets:
    """Counts of the view before its narrowing filters."""

    accounts: int
    is_cut: bool
    arr_minor: int
    bands: list[Choice]
    plans: list[Choice]
    industries: list[Choice]
    segments: list[Choice]


def accounts_page(wanted: AccountsFilter, *, membership: Membership, size: int = PAGE_SIZE) -> AccountsPage:
    """One page of states with account and CSM; one query, by segment four."""
    states = wanted.states(membership)
    # A page by segment is found first and filled in after: the joins of a list whose size the database cannot
    # guess would be made row by row over whole tables.
    join = states.prefetch_related if wanted.segments else states.select_related
    states = join("account", "csm__user")
    page = page_of(states, wanted.order, after=wanted.after, before=wanted.before, size=size)
    return AccountsPage(page.rows, page.after, page.before)


def accounts_facets(wanted: AccountsFilter, *, membership: Membership) -> AccountsFacets:
    """Choices and counts; two queries."""
    base = AccountsFilter(csm=wanted.csm, status=wanted.status).states(membership)
    columns = ("health_band", "plan", "industry", "arr_minor")
    rows = list(base.order_by("account_id").values_list(*columns)[:WINDOW])
    return AccountsFacets(
        accounts=len(rows),
        is_cut=len(rows) == WINDOW,
        arr_minor=sum(row[3] for row in rows),
        bands=_bands(Counter(row[0] for row in rows), wanted.bands),
        plans=_choices(Counter(row[1] for row in rows), wanted.plans),
        industries=_choices(Counter(row[2] for row in rows), wanted.industries),
        segments=segment_choices(wanted.segments),
    )


def _bands(counts: Counter[str], chosen: tuple[str, ...]) -> list[Choice]:
    made = [Choice(band, str(word), band in chosen, counts[band]) for band, word in BAND_WORDS.items()]
    return [*made, Choice("none", gettext("No score"), "none" in chosen, counts[""])]


def _choices(counts: Counter[str], chosen: tuple[str, ...]) -> list[Choice]:
    names = {name for name in (*counts, *chosen) if name}
    made = [Choice(name, name, name in chosen, counts[name]) for name in names]
    return sorted(made, key=lambda choice: (-choice.count, choice.label))


def accounts_sheet(wanted: AccountsFilter, *, membership: Membership) -> tuple[list[str], list[list[Any]]]:
    """The list for spreadsheets, at most MOST_ROWS rows."""
    page = accounts_page(wanted, membership=membership, size=MOST_ROWS)
    headers = [
        gettext("Account id"),
        gettext("Account"),
        gettext("Plan"),
        gettext("Industry"),
        gettext("Country"),
        gettext("CSM"),
        gettext("Health score"),
        gettext("Band"),
        gettext("Coverage"),
        gettext("Churn probability"),
        gettext("ARR"),
        gettext("Expected loss"),
        gettext("Currency"),
        gettext("Renews on"),
        gettext("Last seen"),
        gettext("As of"),
    ]
    return headers, [_cells(state) for state in page.rows]


def _cells(state: AccountState) -> list[Any]:
    return [
        state.account.external_id,
        state.name,
        state.plan,
        state.industry,
        state.country,
        str(state.csm.user) if state.csm else "",
        None if state.health_score is None else round(state.health_score, 1),
        band_word(state.health_band),
        None if state.coverage is None else round(state.coverage, 3),
        None if state.churn_probability is None else round(state.churn_probability, 4),
        to_major(state.arr_minor, state.currency),
        to_major(state.expected_loss_minor, state.currency),
        state.currency,
        state.renews_at.date().isoformat() if state.renews_at else "",
        state.last_seen_on.isoformat() if state.last_seen_on else "",
        state.as_of.isoformat(),
    ]
