"""How far the audit log has come."""

from __future__ import annotations

from django.db import models

from accounts.models.base import WorkspaceModel, unique_in_workspace


class AuditHead(WorkspaceModel):
    """The log's length and its last digest, one row per workspace: without it a removal at the end goes unseen."""

    entries = models.BigIntegerField(default=0)
    digest = models.BinaryField(max_length=32)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace(name="audit_head_one")]
