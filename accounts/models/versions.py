"""Draft, published, rolled back: what every configurable thing of a workspace has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.models.base import PublicModel, unique_in_workspace
from accounts.models.workspaces import User


class VersionModel(PublicModel):
    """A frozen definition of something: a draft until `published_at`, never edited after.

    A subclass adds the foreign key named by `PARENT` (related_name "versions") and puts
    `version_constraints(parent, prefix)` into its Meta. Verbs: `accounts/services/versions.py`.
    """

    PARENT: ClassVar[str]

    number = models.PositiveIntegerField()
    definition = models.JSONField()
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PublicModel.Meta):
        abstract = True

    @property
    def parent(self) -> Any:
        return getattr(self, self.PARENT)


def version_constraints(parent: str, prefix: str) -> list[models.BaseConstraint]:
    """One number and one address per version, at most one draft per parent."""
    return [
        unique_in_workspace(parent, "number", name=f"{prefix}_number"),
        unique_in_workspace("public_id", name=f"{prefix}_public_id"),
        unique_in_workspace(
            parent, name=f"{prefix}_one_draft", condition=models.Q(published_at__isnull=True)
        ),
    ]
