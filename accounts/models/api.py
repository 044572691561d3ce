"""What the REST API remembers of its callers: how fast each key asks, and what it was answered."""

from __future__ import annotations

from django.db import models

from accounts.models.base import WorkspaceModel, unique_in_workspace
from accounts.models.workspaces import ApiKey


class ApiPace(WorkspaceModel):
    """How far a key has used up its requests: at `full_at` it has all of them again (GCRA)."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    full_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("key", name="api_pace")]


class ApiAnswer(WorkspaceModel):
    """What a request with an idempotency key was answered, kept for a day in the transaction of its effect."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32, help_text="of method, address and body")
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("key", "idempotency_key", name="api_answer")]
        indexes = [models.Index(fields=["workspace", "created_at"], name="api_answer_when")]
