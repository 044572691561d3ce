"""Notes: write, change, remove and bring back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Account, Note, User
from accounts.services.audit import audit


@transaction.atomic
def add_note(
    *, account: Account, body: str, is_pinned: bool = False, acting_user: User | None, now: datetime
) -> Note:
    note: Note = Note.objects.create(
        account=account, author=acting_user, body=body, is_pinned=is_pinned, created_at=now
    )
    audit("accounts.note.added", acting_user=acting_user, target=note)
    return note


@transaction.atomic
def edit_note(*, note: Note, body: str, is_pinned: bool, acting_user: User) -> None:
    note.body, note.is_pinned = body, is_pinned
    note.save(update_fields=["body", "is_pinned"])
    audit("accounts.note.edited", acting_user=acting_user, target=note)


@transaction.atomic
def delete_note(*, note: Note, acting_user: User, now: datetime) -> None:
    """Take the note out of sight; `restore_note` brings it back."""
    note.deleted_at = now
    note.save(update_fields=["deleted_at"])
    audit("accounts.note.deleted", acting_user=acting_user, target=note)


@transaction.atomic
def restore_note(*, note: Note, acting_user: User) -> None:
    note.deleted_at = None
    note.save(update_fields=["deleted_at"])
    audit("accounts.note.restored", acting_user=acting_user, target=note)
