"""What this app tells its members about, and what it tells the outside world."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.registry import MailKind, NotificationKind, mail_kinds, notification_kinds
from accounts.services.digests import MAIL_KIND
from accounts.services.notifications import ASSIGNED_KIND, IMPORTED_KIND
from accounts.services.webhooks import DISABLED_KIND

Context = dict[str, Any]


def register() -> None:
    mail_kinds.register(
        MailKind(
            MAIL_KIND,
            "transactional",
            "mail/digest-subject.txt",
            "mail/digest-body",
        )
    )
    notification_kinds.register(
        NotificationKind(
            ASSIGNED_KIND,
            _("Accounts given to you"),
            _("Somebody made you the responsible CSM of accounts."),
            words=_assigned,
            address=lambda context, account: (
                f"/accounts/{account.public_id}/" if account else "/accounts/?csm=mine"
            ),
            icon="user-check",
            permission="accounts.work",
            order=20,
        )
    )
    notification_kinds.register(
        NotificationKind(
            IMPORTED_KIND,
            _("Imports"),
            _("An import that you started is done, or could not be finished."),
            words=_imported,
            address=lambda context, account: context.get("address") or reverse("accounts:settings"),
            icon="download",
            permission="imports.run",
            in_digest=False,
            order=60,
        )
    )
    notification_kinds.register(
        NotificationKind(
            DISABLED_KIND,
            _("Webhooks switched off"),
            _("An endpoint took no messages for five days, or said that it is gone."),
            words=_disabled,
            address=lambda context, account: reverse("accounts:webhook", args=[context["endpoint"]]),
            icon="triangle-alert",
            permission="settings.manage",
            order=70,
        )
    )


def _assigned(context: Context, account: Any) -> tuple[str, str]:
    count = context["count"]
    title = ngettext("%(n)d account is yours now", "%(n)d accounts are yours now", count) % {"n": count}
    return title, ", ".join(context.get("names", []))


def _imported(context: Context, account: Any) -> tuple[str, str]:
    if context.get("failed"):
        return gettext("Import could not be finished"), context.get("file", "")
    detail = gettext("%(created)d new, %(updated)d changed, %(rejected)d refused") % context
    return gettext("Import is done"), f"{context.get('file', '')} · {detail}".strip(" ·")


def _disabled(context: Context, account: Any) -> tuple[str, str]:
    return gettext("Webhook endpoint switched off"), context["host"]
