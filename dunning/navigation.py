"""Sections of the left rail that this app brings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import NavigationItem, navigation


def register() -> None:
    navigation.register(
        NavigationItem("dunning", _("Failed payments"), "dunning:board", "credit-card", "dunning.view", 50)
    )
