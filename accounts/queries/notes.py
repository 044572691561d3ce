"""Notes of an account, read once for all parts of its page."""

from __future__ import annotations

from django.db.models import Prefetch

from accounts.models import Account, Note


def with_notes() -> Prefetch[str]:
    """For a query over accounts whose page shows notes in several places."""
    return Prefetch("notes", queryset=Note.objects.select_related("author"))


def visible_notes(account: Account) -> list[Note]:
    """Newest first, without deleted ones; no query after `with_notes`."""
    rows = [note for note in account.notes.all() if note.deleted_at is None]
    return sorted(rows, key=lambda note: note.created_at, reverse=True)
