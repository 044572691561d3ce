"""What this app keeps for a time only."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import RetentionKind, retention_kinds
from accounts.services import import_uploads, retention

KINDS = (
    RetentionKind(
        "accounts.mail_content",
        _("Content of mails"),
        _("What a mail said. That it was sent, and how it ended, stays."),
        180,
        7,
        retention.empty_mails,
    ),
    RetentionKind(
        "accounts.mail_decisions",
        _("Reasons why a person was mailed or not"),
        _("The list on the person's page."),
        365,
        90,
        retention.drop_decisions,
    ),
    RetentionKind(
        "accounts.inbound_webhooks",
        _("Reports of the mail provider"),
        _("Raw messages about bounces and complaints. What followed from them stays."),
        30,
        7,
        retention.drop_inbound,
    ),
    RetentionKind(
        "accounts.notifications",
        _("Notifications"),
        _("What the bell has told."),
        180,
        14,
        retention.drop_notifications,
    ),
    RetentionKind(
        "accounts.api_answers",
        _("Answers to API requests"),
        _("Kept so that a request that is sent again changes nothing twice."),
        1,
        1,
        retention.drop_answers,
    ),
    RetentionKind(
        "accounts.webhook_log",
        _("Log of webhooks"),
        _("Messages to your systems with every try."),
        30,
        7,
        retention.drop_webhook_log,
    ),
    RetentionKind(
        "accounts.import_uploads",
        _("Uploaded files"),
        _("Files that were not imported, and the first values of those that were. The import itself stays."),
        14,
        1,
        import_uploads.forget_uploads,
    ),
)


def register() -> None:
    for kind in KINDS:
        retention_kinds.register(kind)
