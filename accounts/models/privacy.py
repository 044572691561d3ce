"""What a person may ask for, and what stays behind so that nobody comes back by mistake."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Contact
from accounts.models.shared import StoredFile
from accounts.models.workspaces import User
from cs_platform.lib.encryption import EncryptedTextField


class WorkspaceSecret(WorkspaceModel):
    """A random key of the workspace for one use, made when it is first needed; encrypted at rest."""

    name = models.CharField(max_length=40)
    secret = EncryptedTextField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("name", name="workspace_secret_name")]


class ErasedIdentity(WorkspaceModel):
    """A keyed hash of a key or address of an erased person: what names it again finds the tombstone.

    The hash cannot be turned back without the workspace's key; nothing else of the person is kept.
    """

    digest = models.BinaryField(max_length=32)
    tombstone = models.CharField(max_length=60)
    erased_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("digest", name="erased_identity")]


class PersonRequest(PublicModel):
    """A person asked for a copy of their data, or for its erasure. Holds no personal data itself."""

    class Kind(models.TextChoices):
        EXPORT = "export", _("Copy of the data")
        ERASURE = "erasure", _("Erasure")

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    file = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    counts = models.JSONField(default=dict, help_text="rows by table, without their content")

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="person_request_public_id")]
        indexes = [models.Index(fields=["workspace", "-requested_at"], name="person_request_latest")]


class WorkspaceExport(PublicModel):
    """A copy of everything the workspace owns, made by a job, kept for a few days."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    tables_done = models.PositiveIntegerField(default=0)
    tables = models.PositiveIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    file = models.ForeignKey(StoredFile, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="workspace_export_public_id")]


class RetentionChoice(WorkspaceModel):
    """How long the workspace keeps one kind of data, in days; without a row the kind's default holds."""

    kind = models.CharField(max_length=40)
    days = models.PositiveIntegerField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("kind", name="retention_choice_kind")]
