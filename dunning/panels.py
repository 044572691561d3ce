"""The parts of the account page, its timeline and the first page that this app knows about."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import Panel, TimelineSource, account_panels, home_panels, timeline_sources
from dunning.queries.account_cases import account_cases, case_entries, open_cases


def register() -> None:
    account_panels.register(
        Panel(
            "failed_payments",
            _("Failed payments"),
            "dunning/parts/panel_cases.html",
            account_cases,
            25,
            permission="dunning.view",
            place="side",
        )
    )
    home_panels.register(
        Panel(
            "failed_payments",
            _("Failed payments"),
            "dunning/parts/panel_home.html",
            open_cases,
            40,
            permission="dunning.view",
        )
    )
    timeline_sources.register(TimelineSource("dunning", case_entries))
