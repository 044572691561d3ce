"""What mail registers: the way out of each mail, its pages, its work in the background."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import JobKind, SettingsPage, TokenPurpose, job_kinds, settings_pages, token_purposes
from accounts.services.mail_links import LIFETIME, PURPOSE
from accounts.services.mail_reports import REPORT_JOB, read_report


def register() -> None:
    token_purposes.register(TokenPurpose(PURPOSE, LIFETIME))
    job_kinds.register(JobKind(REPORT_JOB, read_report))
    settings_pages.register(
        SettingsPage(
            "mail_delivery",
            _("Mail delivery"),
            _("Bounces and complaints, mails of unknown fate, who reports to us."),
            "accounts:mail_delivery",
            "settings.manage",
            54,
        )
    )
    settings_pages.register(
        SettingsPage(
            "suppressions",
            _("Suppressed addresses"),
            _("Who gets no mail, or no optional mail, and why."),
            "accounts:suppressions",
            "settings.manage",
            55,
        )
    )
