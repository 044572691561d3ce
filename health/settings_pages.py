"""Pages of the settings section that this app brings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import SettingsPage, settings_pages


def register() -> None:
    settings_pages.register(
        SettingsPage(
            "connect",
            _("Connect your product"),
            _("A write key, lines to copy, and what arrives right now."),
            "health:connect",
            "settings.manage",
            41,
        )
    )
