"""The parts of the account page that this app knows about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.registry import Panel, TimelineSource, account_panels, timeline_sources
from health.charts import score_chart, usage_chart
from health.queries import account_panels as panels
from health.queries.account_history import queue_entries
from health.queries.playbooks import account_playbooks


def _history(account: Account, now: datetime) -> dict[str, Any]:
    return {"chart": score_chart(panels.history_panel(account, now)["points"])}


def _usage(account: Account, now: datetime) -> dict[str, Any]:
    return {"chart": usage_chart(panels.usage_panel(account, now)["days"])}


def register() -> None:
    parts = "health/parts/panel_{}.html"
    account_panels.register(
        Panel("risk", _("Why it needs someone"), parts.format("risk"), panels.risk_panel, 10)
    )
    account_panels.register(
        Panel("playbooks", _("Playbooks"), parts.format("playbooks"), account_playbooks, 15, place="side")
    )
    account_panels.register(Panel("score", _("Health score"), parts.format("score"), panels.score_panel, 20))
    account_panels.register(
        Panel("history", _("Health score, 180 days"), parts.format("chart"), _history, 30)
    )
    account_panels.register(Panel("usage", _("Usage a day, 180 days"), parts.format("chart"), _usage, 40))
    timeline_sources.register(TimelineSource("queue", queue_entries))
