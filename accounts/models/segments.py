"""Saved rules over accounts, their versions, and who was in them when."""

from __future__ import annotations

from django.db import models

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account
from accounts.models.versions import VersionModel, version_constraints
from accounts.models.workspaces import User


class Segment(PublicModel):
    """A named rule over accounts; the rule itself is in its versions (tree: `accounts/segments`)."""

    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    members = models.PositiveIntegerField(default=0, help_text="as of `refreshed_at`")
    refreshed_at = models.DateTimeField(
        null=True, blank=True, help_text="when the membership was last written"
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("name", name="segment_name"),
            unique_in_workspace("public_id", name="segment_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentVersion(VersionModel):
    """A frozen rule: `definition` is a tree as `accounts.segments.parse_tree` reads it."""

    PARENT = "segment"

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")

    class Meta(VersionModel.Meta):
        constraints = version_constraints("segment", "segment_version")


class SegmentMembership(WorkspaceModel):
    """One stay of an account in a segment; open while `left_at` is empty.

    Written at once on publication and nightly. What reads segments (filters, scorecards,
    assignment, sequences) reads the open rows by an index, never the rule.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace(
                "segment",
                "account",
                name="segment_membership_open",
                condition=models.Q(left_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(left_at__isnull=True) | models.Q(left_at__gte=models.F("entered_at")),
                name="segment_membership_leaves_after_entering",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "account", "segment"], name="segment_membership_account"),
            models.Index(fields=["workspace", "segment", "-entered_at"], name="segment_membership_entered"),
            models.Index(
                fields=["workspace", "segment", "-left_at"],
                name="segment_membership_left",
                condition=models.Q(left_at__isnull=False),
            ),
        ]
