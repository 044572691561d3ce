"""The parts of the account page that this app knows about, and where its timeline comes from."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.queries import account_panels as panels
from accounts.queries import timeline
from accounts.queries.mails import mail_entries
from accounts.registry import Panel, TimelineSource, account_panels, timeline_sources


def register() -> None:
    parts = "accounts/parts/panel_{}.html"
    account_panels.register(
        Panel("notes", _("Notes"), parts.format("notes"), panels.notes_panel, 10, place="side")
    )
    account_panels.register(
        Panel(
            "subscription",
            _("Subscription"),
            parts.format("subscription"),
            panels.subscription_panel,
            20,
            place="side",
        )
    )
    account_panels.register(
        Panel("contacts", _("People"), parts.format("contacts"), panels.contacts_panel, 30, place="side")
    )
    account_panels.register(
        Panel("tickets", _("Tickets"), parts.format("tickets"), panels.tickets_panel, 40, place="side")
    )
    account_panels.register(
        Panel("traits", _("Traits"), parts.format("traits"), panels.traits_panel, 50, place="side")
    )
    account_panels.register(
        Panel("timeline", _("Timeline"), parts.format("timeline"), panels.timeline_panel, 90)
    )
    for name, load in {
        "activities": timeline.activity_entries,
        "mails": mail_entries,
        "notes": timeline.note_entries,
        "tickets": timeline.ticket_entries,
        "subscriptions": timeline.subscription_entries,
    }.items():
        timeline_sources.register(TimelineSource(name, load))
