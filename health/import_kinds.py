"""The kinds of import of this app."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.registry import AccountDetacher, ImportKind, account_detachers, import_kinds


def register() -> None:
    from health.services import event_import

    import_kinds.register(
        ImportKind(
            name="events",
            label=_("Events"),
            spec=event_import.EVENTS,
            apply=event_import.import_events,
            undo=event_import.undo_events,
            chunk=event_import.CHUNK,
        )
    )
    account_detachers.register(AccountDetacher("events", _detach))


def _detach(account_ids: list[int]) -> Any:
    from health.services.attribution import detach_events

    return detach_events(account_ids)
