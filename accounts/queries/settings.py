"""The settings' first page: cards in groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.registry import SettingsPage, settings_pages

# From this order on, a group begins.
GROUPS: tuple[tuple[int, Any], ...] = (
    (0, _("For you")),
    (20, _("Workspace")),
    (30, _("Team")),
    (40, _("Data in and out")),
    (50, _("Mail")),
    (60, _("More")),
)


@dataclass(frozen=True)
class SettingsGroup:
    label: Any
    pages: list[SettingsPage]


def settings_groups(may_see: Callable[[str], bool]) -> list[SettingsGroup]:
    """The pages that a member may see, by group and order; empty groups are left out."""
    pages = [page for page in sorted(settings_pages, key=lambda page: page.order) if may_see(page.permission)]
    ends = [*(start for start, _label in GROUPS[1:]), 10_000]
    groups = [
        SettingsGroup(label, [page for page in pages if start <= page.order < end])
        for (start, label), end in zip(GROUPS, ends, strict=True)
    ]
    return [group for group in groups if group.pages]
