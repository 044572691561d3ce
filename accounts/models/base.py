"""What every workspace table has in common."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now

from cs_platform.lib.scoping import ScopedManager, scoped_default


class WorkspaceModel(models.Model):
    """A row of one workspace: scoped manager, workspace filled from the scope.

    Row-level security, grants, UNIQUE (workspace_id, id) and composite foreign keys are
    added to every subclass after migrate, see `accounts/tenancy.py`.
    """

    workspace = models.ForeignKey(
        "accounts.Workspace",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        editable=False,
        default=scoped_default,
    )

    objects = ScopedManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class PublicModel(WorkspaceModel):
    """A workspace row with the random id that URLs and the API show."""

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta(WorkspaceModel.Meta):
        abstract = True


class MirroredModel(PublicModel):
    """A row of a customer's own systems. `updated_at` is written by the database, see `accounts/change_times.py`."""

    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(PublicModel.Meta):
        abstract = True


def changed_index(name: str) -> models.Index:
    """The way from a moment to what changed since."""
    return models.Index(fields=["workspace", "updated_at", "id"], name=name)


def unique_in_workspace(*fields: str, name: str, **options: Any) -> models.UniqueConstraint:
    """A unique key that starts with the workspace, as every one of ours must."""
    return models.UniqueConstraint(fields=["workspace", *fields], name=name, **options)
