"""The Queue page: one row per account, with what is open inside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Account, Membership
from health.models import AccountState, ModelVersion, QueueEntry, QueueItem
from health.queries.bands import BAND_WORDS
from health.queries.causes import Cause, cause_labels, cause_of, spoken_for
from health.queries.choices import Choice
from health.queries.expected_loss import ExpectedLoss, expected_loss
from health.queries.experiments import HeldOut, held_out
from health.queries.keyset import page_of
from health.queries.queue_filter import QueueFilter
from health.queries.segment_filter import segment_choices

PAGE_SIZE = 50
# Counts look at no more than this many rows in the order of the page, so that they cost the same in any workspace.
WINDOW = 1000


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One account of the queue."""

    account: Account
    state: AccountState
    csm_name: str
    loss: ExpectedLoss
    causes: tuple[Cause, ...]
    opened_on: date
    snoozed_until: date | None
    held_out: tuple[HeldOut, ...] = ()
    csm_email: str | None = None

    @property
    def public_id(self) -> str:
        return str(self.account.public_id)


@dataclass(frozen=True, slots=True)
class Facets:
    """What the present view holds, before the narrowing filters."""

    accounts: int
    is_cut: bool
    loss_minor: int
    bands: list[Choice]
    causes: list[Choice]
    plans: list[Choice]
    industries: list[Choice]
    segments: list[Choice]


@dataclass(frozen=True, slots=True)
class QueuePage:
    rows: list[QueueRow]
    after: str
    before: str


_STATE = (
    "account_id",
    "plan",
    "industry",
    "arr_minor",
    "list_arr_minor",
    "currency",
    "health_score",
    "health_band",
    "health_change",
    "churn_probability",
    "expected_loss_minor",
    "urgency",
    "renews_at",
    "sparkline",
)
# What a row shows and the orders compare; reading whole models takes twice as long.
_COLUMNS = (
    "account_id",
    "has_arr",
    "expected_loss_minor",
    "opened_on",
    "snoozed_until",
    "csm_id",
    "csm__user__name",
    "csm__user__email",
    "account__public_id",
    "account__external_id",
    "account__name",
    *[f"account__state__{name}" for name in _STATE],
)


def queue_page(
    wanted: QueueFilter, *, membership: Membership, today: date, size: int = PAGE_SIZE
) -> QueuePage:
    """One page of rows in three queries, whatever their number."""
    entries = wanted.entries(membership=membership, today=today)
    entries = entries.select_related("account__state", "csm__user").only(*_COLUMNS)
    page = page_of(entries, wanted.order, after=wanted.after, before=wanted.before, size=size)
    return QueuePage(queue_rows(page.rows), page.after, page.before)


def queue_rows(entries: Iterable[QueueEntry]) -> list[QueueRow]:
    """Rows for entries that were read with their account, its state and the CSM."""
    entries = list(entries)
    ids = [entry.account_id for entry in entries]
    causes, held = open_causes(ids), held_out(ids)
    return [_row(e, causes.get(e.account_id, ()), held.get(e.account_id, ())) for e in entries]


def open_causes(account_ids: list[int]) -> dict[int, tuple[Cause, ...]]:
    """What is open for each account, the worst first."""
    items = QueueItem.objects.filter(account_id__in=account_ids, closed_at__isnull=True)
    ordered = items.order_by("account_id", "-severity", "opened_on", "id")
    found: dict[int, list[Cause]] = {}
    for account_id, *item in ordered.values_list("account_id", "source", "evidence", "severity", "opened_on"):
        found.setdefault(account_id, []).append(cause_of(*item))
    return {account_id: _said_once(causes) for account_id, causes in found.items()}


def _said_once(causes: list[Cause]) -> tuple[Cause, ...]:
    spoken = spoken_for(cause.source for cause in causes)
    return tuple(cause for cause in causes if cause.source not in spoken)


def _row(entry: QueueEntry, causes: tuple[Cause, ...], held: tuple[HeldOut, ...]) -> QueueRow:
    state = entry.account.state
    return QueueRow(
        account=entry.account,
        state=state,
        csm_name=str(entry.csm.user) if entry.csm else "",
        loss=expected_loss(state),
        causes=causes,
        opened_on=entry.opened_on,
        snoozed_until=entry.snoozed_until,
        held_out=held,
        csm_email=entry.csm.user.email if entry.csm else None,
    )


def queue_facets(wanted: QueueFilter, *, membership: Membership, today: date) -> Facets:
    """Counts and choices of the view, over its first WINDOW rows; two queries."""
    base = wanted.widened.entries(membership=membership, today=today)
    top = base.order_by("-has_arr", "-expected_loss_minor", "-account_id")[:WINDOW]
    columns = ("account_id", "expected_loss_minor", "account__state__health_band")
    sql, params = top.values(
        *columns, "account__state__plan", "account__state__industry"
    ).query.sql_with_params()
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("all", "band", "plan", "industry", "cause")
    }
    loss_minor = 0
    with connection.cursor() as cursor:
        cursor.execute(_FACETS.format(top=sql), params)
        for facet, value, accounts, loss in cursor.fetchall():
            counts[facet][value] = accounts
            loss_minor = int(loss or 0) if facet == "all" else loss_minor
    causes = cause_labels([*counts["cause"], *wanted.causes])
    return Facets(
        accounts=counts["all"][""],
        is_cut=counts["all"][""] == WINDOW,
        loss_minor=loss_minor,
        bands=_band_choices(counts["band"], wanted.bands),
        causes=_choices(counts["cause"], wanted.causes, label=causes.__getitem__),
        plans=_choices(counts["plan"], wanted.plans),
        industries=_choices(counts["industry"], wanted.industries),
        segments=segment_choices(wanted.segments),
    )


# Grouped in the database: a thousand rows would take longer to fetch than to count.
_FACETS = """
WITH top (account_id, loss, band, plan, industry) AS MATERIALIZED ({top})
SELECT CASE WHEN grouping(band) = 0 THEN 'band' WHEN grouping(plan) = 0 THEN 'plan'
            WHEN grouping(industry) = 0 THEN 'industry' ELSE 'all' END,
       coalesce(band, plan, industry, ''), count(*), sum(loss)
FROM top GROUP BY GROUPING SETS ((), (band), (plan), (industry))
UNION ALL
SELECT 'cause', i.source, count(*), NULL FROM top JOIN health_queueitem i USING (account_id)
WHERE i.closed_at IS NULL GROUP BY i.source
"""


def _choices(counts: Counter[str], chosen: tuple[str, ...], label: Any = str) -> list[Choice]:
    names = set(counts) | set(chosen)
    made = [Choice(name, str(label(name)), name in chosen, counts[name]) for name in names if name]
    return sorted(made, key=lambda choice: (-choice.count, choice.label))


def _band_choices(counts: Counter[str], chosen: tuple[str, ...]) -> list[Choice]:
    return [Choice(band, str(word), band in chosen, counts[band]) for band, word in BAND_WORDS.items()]


def has_live_model() -> bool:
    """Whether probabilities come from a model; else (100 - score) / 100 stands in."""
    return bool(ModelVersion.objects.filter(live_from__isnull=False, live_until__isnull=True).exists())
