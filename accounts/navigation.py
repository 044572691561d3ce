"""Sections of the left rail that this app brings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import NavigationItem, navigation


def register() -> None:
    navigation.register(
        NavigationItem("reports", _("Reports"), "accounts:reports", "chart-column", "reports.view", 80)
    )
    navigation.register(
        NavigationItem("settings", _("Settings"), "accounts:settings", "settings", "settings.view", 90)
    )
