"""The first minutes of an installation and of a workspace."""

from __future__ import annotations

from django.db import models

from accounts.models.base import WorkspaceModel, unique_in_workspace
from accounts.models.workspaces import User


class SetupCode(models.Model):
    """Proof that whoever sets up a fresh installation can read its server's output. Only a hash is kept.

    Not scoped: there is no workspace yet. All rows go when the first user is made.
    """

    code_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class WelcomeDismissal(WorkspaceModel):
    """An owner has put the welcome checklist away for the whole workspace."""

    dismissed_at = models.DateTimeField()
    dismissed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace(name="welcome_dismissal_once")]
