"""The queue as a table for spreadsheets."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext

from accounts.models import Membership
from cs_platform.lib.money import to_major
from health.queries.bands import band_word
from health.queries.queue import QueueRow, queue_page
from health.queries.queue_filter import QueueFilter

# A web request makes the file, so it has an end; the workspace's export has none.
MOST_ROWS = 5000


def queue_sheet(
    wanted: QueueFilter, *, membership: Membership, today: date
) -> tuple[list[str], list[list[object]]]:
    """Headers and rows in the order of the page; money in major units, shares from 0 to 1."""
    page = queue_page(wanted, membership=membership, today=today, size=MOST_ROWS)
    headers = [
        gettext("Account id"),
        gettext("Account"),
        gettext("Plan"),
        gettext("Industry"),
        gettext("CSM"),
        gettext("Causes"),
        gettext("Health score"),
        gettext("Band"),
        gettext("Churn probability"),
        gettext("ARR"),
        gettext("Expected loss"),
        gettext("Currency"),
        gettext("Renews on"),
        gettext("Open since"),
    ]
    return headers, [_cells(row) for row in page.rows]


def _cells(row: QueueRow) -> list[object]:
    state = row.state
    return [
        row.account.external_id,
        row.account.name,
        state.plan,
        state.industry,
        row.csm_name,
        "; ".join(cause.label for cause in row.causes),
        None if state.health_score is None else round(state.health_score, 1),
        band_word(state.health_band),
        None if state.churn_probability is None else round(state.churn_probability, 4),
        to_major(state.arr_minor, state.currency),
        to_major(state.expected_loss_minor, state.currency),
        state.currency,
        state.renews_at.date().isoformat() if state.renews_at else "",
        row.opened_on.isoformat(),
    ]
