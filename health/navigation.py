"""Sections of the left rail that this app brings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import NavigationItem, navigation


def register() -> None:
    navigation.register(NavigationItem("home", _("Home"), "health:home", "house", "home.view", 10))
    navigation.register(NavigationItem("queue", _("Queue"), "health:queue", "inbox", "queue.view", 20))
    navigation.register(
        NavigationItem("accounts", _("Accounts"), "health:accounts", "building-2", "accounts.view", 30)
    )
    navigation.register(
        NavigationItem("playbooks", _("Playbooks"), "health:playbooks", "list-checks", "health.view", 35)
    )
    navigation.register(
        NavigationItem("health", _("Health"), "health:overview", "heart-pulse", "health.view", 40)
    )
