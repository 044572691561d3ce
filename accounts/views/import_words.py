"""What the pages of the imports say about runs: rows by table, warnings, cells of the CSV."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Import
from accounts.queries.imports import kind_label

_TABLES: dict[str, Any] = {
    "account": _("Accounts"),
    "accounttrait": _("Values of traits"),
    "activity": _("Entries of timelines"),
    "contact": _("Contacts"),
    "events": _("Events"),
    "invoice": _("Invoices"),
    "plan": _("Plans"),
    "subscription": _("Subscriptions"),
    "subscriptionchange": _("Terms of subscriptions"),
    "ticket": _("Tickets"),
    "traitdefinition": _("Traits"),
}
_KEPT: dict[str, Any] = {
    "changed_since": _("rows that somebody changed since keep the newer value"),
    "has_notes": _("accounts stay, because people wrote notes about them"),
}
_WARNINGS: dict[str, Any] = {
    "unknown_csm": _("%(rows)s rows name “%(value)s” as CSM, who is no member here: left without a CSM"),
    "not_a_domain": _("%(rows)s rows have “%(value)s” as domain, which is none: left without a domain"),
    "unknown_contact": _("%(rows)s rows name the contact “%(value)s”, who is unknown: left out"),
}


def changed_rows(report: dict[str, dict[str, int]]) -> dict[str, list[dict[str, Any]]]:
    """`removed` and `restored` by table, `kept` by reason, each with a count; empty without a report."""
    found: dict[str, list[dict[str, Any]]] = {
        name: [{"label": _TABLES.get(table, table), "rows": rows} for table, rows in part.items()]
        for name in ("removed", "restored")
        if (part := report.get(name))
    }
    if report.get("kept"):
        found["kept"] = [{"label": _KEPT.get(c, c), "rows": n} for c, n in report["kept"].items()]
    return found


def warning_words(warning: dict[str, Any]) -> str:
    """A warning of a run as a sentence."""
    text = _WARNINGS.get(warning["code"])
    return str(text) % warning if text else f"{warning['code']}: {warning['value']} ({warning['rows']})"


def csv_headers() -> list[str]:
    """Head of the list as a file."""
    return [
        gettext("Kind"),
        gettext("File"),
        gettext("State"),
        gettext("Started"),
        gettext("By"),
        gettext("New"),
        gettext("Changed"),
        gettext("As it was"),
        gettext("Refused"),
    ]


def run_cells(row: Import) -> list[object]:
    """One run for the file."""
    return [
        kind_label(row.kind),
        row.file_name,
        row.get_status_display(),
        row.started_at.isoformat(timespec="seconds"),
        row.created_by.email if row.created_by else "",
        row.rows_created,
        row.rows_updated,
        row.rows_unchanged,
        row.rows_rejected,
    ]
