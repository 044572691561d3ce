"""The case board: one page of cases, the choices of its filters, and the numbers above it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.utils.translation import gettext

from accounts.models import Membership, Workspace
from accounts.queries.currency import dated_rates
from cs_platform.lib.money import to_major
from cs_platform.lib.periods import microseconds
from dunning.cases.words import PHASE_WORDS, STATE_WORDS, closing_words
from dunning.models import DunningCase
from dunning.policy.classes import CLASS_WORDS, DeclineClass
from dunning.queries.board_filter import PHASES, BoardFilter
from dunning.queries.recoveries import read_recoveries
from dunning.queries.refused_orders import with_hurdles
from dunning.recovery import Recovery, recovery
from health.queries.choices import Choice
from health.queries.keyset import Page, page_of
from health.queries.queue_export import MOST_ROWS
from health.queries.segment_filter import segment_choices

PAGE_SIZE = 50
# Above this, choices of filters come from the first cases only, so that the page costs the same anywhere.
WINDOW = 5000
LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class BoardFacets:
    """Counts of the view before its narrowing filters. `amount_minor` in the report currency at today's rates;
    `unpriced` cases have no rate."""

    cases: int
    is_cut: bool
    amount_minor: int
    unpriced: int
    phases: list[Choice]
    classes: list[Choice]
    segments: list[Choice]


def board_page(wanted: BoardFilter, *, membership: Membership, size: int = PAGE_SIZE) -> Page:
    """One page of cases with account, CSM and invoice, and whether a person has to do what the provider would
    not; two queries."""
    cases = wanted.cases(membership).select_related("account__csm__user", "invoice")
    page = page_of(cases, wanted.order, after=wanted.after, before=wanted.before, size=size)
    hindered = with_hurdles(page.rows)
    for case in page.rows:
        case.is_hindered = case.pk in hindered
    return page


def board_facets(
    wanted: BoardFilter, *, membership: Membership, workspace: Workspace, now: datetime
) -> BoardFacets:
    """Choices and counts; three queries."""
    base = BoardFilter(state=wanted.state, csm=wanted.csm).cases(membership)
    columns = ("phase", "decline_class", "amount_minor", "currency")
    rows = list(base.order_by("-opened_at", "-id").values_list(*columns)[:WINDOW])
    phases, classes = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    amount, unpriced = worth([(row[2], row[3]) for row in rows], workspace, now)
    return BoardFacets(
        cases=len(rows),
        is_cut=len(rows) == WINDOW,
        amount_minor=amount,
        unpriced=unpriced,
        phases=[
            Choice(phase, str(PHASE_WORDS[phase]), phase in wanted.phases, phases[phase])
            for phase in PHASES
            if phases[phase] or phase in wanted.phases
        ],
        classes=[
            Choice(kind, str(CLASS_WORDS[kind]), kind in wanted.classes, classes[kind])
            for kind in DeclineClass
            if classes[kind] or kind in wanted.classes
        ],
        segments=segment_choices(wanted.segments),
    )


def worth(amounts: list[tuple[int, str]], workspace: Workspace, now: datetime) -> tuple[int, int]:
    """The sum in the report currency, and how many have no rate."""
    rates, instant = dated_rates(workspace), microseconds(now)
    total = unpriced = 0
    by_currency: dict[str, list[int]] = {}
    for amount, currency in amounts:
        by_currency.setdefault(currency, []).append(amount)
    for currency, values in by_currency.items():
        if rates.before(currency, instant) is None:
            unpriced += len(values)
            continue
        minor = np.array(values, dtype=np.int64)
        total += int(rates.value_then(minor, currency, np.full(minor.size, instant)).sum())
    return total, unpriced


def recent_recovery(workspace: Workspace, *, now: datetime) -> Recovery:
    """What failed 60 to 30 days ago and has had its time to come back; two queries."""
    return recovery(read_recoveries(workspace, start=now - LOOK_BACK, end=now - LOOK_BACK / 2))


def board_sheet(wanted: BoardFilter, *, membership: Membership) -> tuple[list[str], list[list[Any]]]:
    """The board for spreadsheets, at most MOST_ROWS rows."""
    headers = [
        gettext("Account id"),
        gettext("Account"),
        gettext("CSM"),
        gettext("Invoice"),
        gettext("Amount"),
        gettext("Currency"),
        gettext("State"),
        gettext("Stands"),
        gettext("Refusal"),
        gettext("Tries"),
        gettext("Failed on"),
        gettext("Next retry"),
        gettext("Ends on"),
        gettext("Closed on"),
        gettext("Recovered by"),
    ]
    page = board_page(wanted, membership=membership, size=MOST_ROWS)
    return headers, [_cells(case) for case in page.rows]


def _cells(case: DunningCase) -> list[Any]:
    return [
        case.account.external_id,
        case.account.name,
        str(case.account.csm.user) if case.account.csm else "",
        case.invoice.number or case.invoice.external_id,
        to_major(case.amount_minor, case.currency),
        case.currency,
        str(STATE_WORDS[case.state]),
        str(PHASE_WORDS[case.phase]) if case.phase else closing_words(case.closing_reason),
        case.decline_code,
        case.attempts,
        case.failed_at.date().isoformat(),
        case.next_retry_at.isoformat() if case.next_retry_at else "",
        case.ends_at.date().isoformat(),
        case.closed_at.date().isoformat() if case.closed_at else "",
        case.get_recovered_by_display(),
    ]
