"""The kinds of import of this app."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.registry import (
    AccountDetacher,
    ImportKind,
    JobKind,
    account_detachers,
    import_kinds,
    job_kinds,
)
from accounts.signals import import_finished

AFTER_IMPORT = "health.after_import"


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
    job_kinds.register(JobKind(AFTER_IMPORT, _after_import))
    import_finished.connect(AFTER_IMPORT)


def _detach(account_ids: list[int]) -> Any:
    from health.services.attribution import detach_events

    return detach_events(account_ids)


def _after_import(import_id: int) -> None:
    """Events may have waited for the accounts and people of this import; a fold attributes them."""
    from health.services.fold_requests import request_fold

    request_fold()
