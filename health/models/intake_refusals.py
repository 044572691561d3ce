"""What the intake refused lately, so that whoever connects a product sees why nothing arrives."""

from __future__ import annotations

from django.db import models

from accounts.models import WorkspaceModel


class IntakeRefusal(WorkspaceModel):
    """One refused request or message: never its content, only where and why. A short, bounded list."""

    received_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(help_text="HTTP status of the answer")
    endpoint = models.CharField(max_length=20)
    field = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300)
    messages = models.PositiveIntegerField(default=1, help_text="messages of the request with this fate")

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "-id"], name="intake_refusal_latest")]
