"""Shared services: jobs, mail outbox, token links, imports, files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account, Contact
from accounts.models.workspaces import User
from cs_platform.lib.scoping import current_workspace_id

_PUT = (
    "INSERT INTO accounts_job AS j (workspace_id, kind, object_id, due_at, priority, attempts, lease_owner,"
    " is_rerun_wanted, last_error, created_at)"
)
_AGAIN = (
    "ON CONFLICT (workspace_id, kind, object_id) DO UPDATE SET"
    " due_at = least(j.due_at, excluded.due_at), priority = least(j.priority, excluded.priority),"
    " attempts = CASE WHEN j.parked_at IS NULL THEN j.attempts ELSE 0 END, parked_at = NULL,"
    " is_rerun_wanted = j.lease_until IS NOT NULL"
)


class JobManager(models.Manager["Job"]):
    def put(self, kind: str, object_id: int, *, delay: timedelta = timedelta(0), priority: int = 0) -> None:
        """Write work in the transaction of its cause, in the running scope's workspace.

        The same (kind, object) is one row: putting it again brings it forward, un-parks it,
        and makes a running one run once more. Due times are the database's clock.
        """
        values: list[Any] = [current_workspace_id(), kind, object_id, delay, priority]
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_PUT} VALUES (%s, %s, %s, clock_timestamp() + %s, %s, 0, '', false, '', clock_timestamp()) {_AGAIN}",
                values,
            )

    def put_all(self, kind: str, object_ids: Iterable[int]) -> None:
        """`put` for many objects in one statement."""
        ids = sorted(set(object_ids))
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_PUT} SELECT %s, %s, id, clock_timestamp(), 0, 0, '', false, '', clock_timestamp()"
                f" FROM unnest(%s::bigint[]) AS id {_AGAIN}",
                [current_workspace_id(), kind, ids],
            )


class Job(models.Model):
    """Work to do, written in the transaction of its cause. Content-free and unscoped:
    whoever sweeps it reads only ids, then opens the workspace's scope.

    open -> (claimed: lease_until, lease_owner) -> deleted when done, or parked after too
    many attempts. Leases run on the database's clock.
    """

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    due_at = models.DateTimeField()
    priority = models.SmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    is_rerun_wanted = models.BooleanField(default=False)
    parked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = JobManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "object_id"], name="job_once")]
        indexes = [
            models.Index(
                fields=["priority", "due_at"], name="job_due", condition=models.Q(parked_at__isnull=True)
            )
        ]


class OutboundEmail(PublicModel):
    """A mail as a row first: queued -> sending -> sent, or doubtful after a crash, or failed.

    Its body is never stored: it is rendered from `text_version` and `context` when it leaves.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        DOUBTFUL = "doubtful", _("Doubtful")
        FAILED = "failed", _("Failed")
        SUPPRESSED = "suppressed", _("Suppressed")
        CANCELED = "canceled", _("Canceled")

    kind = models.CharField(max_length=60)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    to_address = models.CharField(max_length=254)
    language = models.CharField(max_length=8, default="en")
    context = models.JSONField(default=dict)
    text_version = models.ForeignKey(
        "accounts.MailTextVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    source_type = models.CharField(max_length=60, blank=True, help_text="what asked for it: app.noun")
    source_id = models.BigIntegerField(null=True, blank=True)
    from_name = models.CharField(max_length=200, blank=True, help_text="empty: the workspace's sender")
    reply_to = models.CharField(max_length=254, blank=True, help_text="empty: as the workspace has set")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    message_id = models.CharField(max_length=200, blank=True)
    # What the arbiter goes by; empty: what the kind says. `clock` names the survey, say "survey:12".
    mail_class = models.CharField(max_length=24, blank=True)
    motion = models.CharField(max_length=20, blank=True)
    category = models.CharField(max_length=20, blank=True)
    clock = models.CharField(max_length=60, blank=True)
    address_hash = models.BinaryField(max_length=32, null=True)
    held_reason = models.CharField(
        max_length=30, blank=True, help_text="why it waits, or why it was not sent"
    )
    not_before = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True, help_text="first hand-over; what the clocks count")
    provider_id = models.CharField(max_length=200, blank=True)
    reviewed_at = models.DateTimeField(
        null=True, blank=True, help_text="a human left the doubtful mail as it is"
    )
    last_error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="outbound_email_public_id"),
            models.CheckConstraint(
                condition=~models.Q(status="sent") | models.Q(sent_at__isnull=False),
                name="outbound_email_sent_at",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "status", "id"], name="outbound_email_status"),
            models.Index(fields=["workspace", "contact", "-id"], name="outbound_email_contact"),
            models.Index(fields=["workspace", "address_hash", "begun_at"], name="outbound_email_clock"),
            models.Index(
                fields=["workspace", "message_id"],
                name="outbound_email_message",
                condition=~models.Q(message_id=""),
            ),
        ]


class AccessLink(PublicModel):
    """A public link `<workspace>.<secret>` bound to a purpose and a person; only a hash is stored."""

    purpose = models.CharField(max_length=40)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    object_id = models.BigIntegerField(null=True, blank=True)
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("token_hash", name="access_link_token"),
            unique_in_workspace("public_id", name="access_link_public_id"),
        ]


class Import(PublicModel):
    """One run of one file: its mapping, its counts, its undo.

    While it runs `finished_at` is the time of its last chunk, so that a killed run is told from a slow one.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        UNDONE = "undone", _("Undone")
        CANCELED = "canceled", _("Canceled")

    kind = models.CharField(max_length=40)
    file_name = models.CharField(max_length=300, blank=True)
    file_digest = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undo_requested_at = models.DateTimeField(null=True, blank=True)
    undo_requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    rows_read = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_updated = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    detail = models.JSONField(default=dict, help_text="columns, warnings, why it failed, what the undo kept")

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="import_public_id")]
        indexes = [models.Index(fields=["workspace", "-id"], name="import_latest")]


class ImportChange(WorkspaceModel):
    """What an import did to one row, so that it can be undone: `before` is NULL for a created row."""

    source_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="changes")
    table = models.CharField(max_length=80)
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(default=dict)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("source_import", "table", "object_id", name="import_change")]


class ImportReject(WorkspaceModel):
    """A row that was refused: its line in the file, the field, the reason's code and what its sentence needs."""

    source_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejects")
    line = models.PositiveIntegerField()
    field = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=60)
    detail = models.JSONField(default=dict)

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "source_import", "line"], name="import_reject_line")]


class StoredFile(PublicModel):
    """A file in the database, so that web and workers may run on different machines."""

    name = models.CharField(max_length=300)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="empty: kept")

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="stored_file_public_id")]


class StoredFileChunk(WorkspaceModel):
    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("file", "position", name="stored_file_chunk")]


class AccountAlias(WorkspaceModel):
    """Another key under which usage names an account (a merged or renamed id)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("key", name="account_alias_key")]
