"""Pages of the settings section that this app brings, and its mail kinds."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.registry import MailKind, SettingsPage, mail_kinds, settings_pages
from accounts.services.invitations import MAIL_KIND, forget_link

# Name of the address, label, description, permission, place in the list.
PAGES: tuple[tuple[str, Any, Any, str, int], ...] = (
    ("welcome", _("First steps"), _("From an empty workspace to the first queue."), "settings.view", 5),
    (
        "profile",
        _("Profile"),
        _("Your name, language, time zone, password and second factor."),
        "settings.view",
        10,
    ),
    (
        "notification_settings",
        _("Notifications"),
        _("What you hear of, in the app and in the daily mail."),
        "settings.view",
        15,
    ),
    (
        "workspace_settings",
        _("Workspace"),
        _("Name, time zone, report currency, horizon of predictions, hour of the nightly run."),
        "settings.manage",
        20,
    ),
    (
        "calendar",
        _("Working days"),
        _("Days of the week and holidays on which nobody is disturbed."),
        "settings.manage",
        24,
    ),
    (
        "rates",
        _("Exchange rates"),
        _("What other currencies are worth in the report currency, by date."),
        "settings.manage",
        26,
    ),
    (
        "data",
        _("Data"),
        _("How long details are kept; export of everything; deletion of the workspace."),
        "settings.manage",
        28,
    ),
    ("members", _("Members"), _("Who may come in, with which role; invitations."), "members.manage", 30),
    (
        "sign_in_settings",
        _("Sign-in"),
        _("Who must have a second factor; sign-in by your own OpenID provider."),
        "settings.manage",
        31,
    ),
    ("audit_log", _("Audit log"), _("Who changed what, and when. It can only grow."), "settings.manage", 38),
    ("imports", _("Imports"), _("Bring files in, see what became of them, undo them."), "imports.run", 40),
    ("keys", _("API keys"), _("Keys for sending events and for reading results."), "settings.manage", 42),
    (
        "webhooks",
        _("Webhooks"),
        _("Your own systems hear of accounts that turn red, risks and churn."),
        "settings.manage",
        45,
    ),
    (
        "texts",
        _("Mail texts"),
        _("What your mails say, in each language: drafts, versions, previews."),
        "settings.view",
        50,
    ),
    (
        "branding",
        _("Sender and look"),
        _("Name, address, logo and colour of your mails and public pages."),
        "settings.manage",
        52,
    ),
    (
        "design",
        _("Components"),
        _("Every building block of the pages in all its states."),
        "settings.view",
        90,
    ),
)


def register() -> None:
    for name, label, description, permission, order in PAGES:
        settings_pages.register(SettingsPage(name, label, description, f"accounts:{name}", permission, order))
    mail_kinds.register(
        MailKind(
            MAIL_KIND,
            "transactional",
            "mail/invitation-subject.txt",
            "mail/invitation-body",
            resend_when_doubtful=True,
            on_settled=forget_link,
        )
    )
