"""Take a ready playbook into the workspace, as a draft in the workspace's language."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import translation

from accounts.models import MailText, User, Workspace
from cs_platform.lib.scoping import current_workspace_id
from health.models import Sequence
from health.sequences.library import ReadyPlaybook, draft_of
from health.services.sequence_plans import create_sequence, free_name


@transaction.atomic
def install(item: ReadyPlaybook, *, acting_user: User | None, now: datetime) -> Sequence:
    """A draft with the workspace's own texts; a text that is not there leaves its step open, for the editor to say."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    rows = MailText.objects.filter(archived_at__isnull=True).values_list("key", "public_id")
    texts = {key: str(public_id) for key, public_id in rows}
    with translation.override(workspace.language):
        return create_sequence(
            name=free_name(str(item.name)),
            purpose=str(item.purpose),
            definition=draft_of(item, texts),
            acting_user=acting_user,
            library_key=item.key,
        )
