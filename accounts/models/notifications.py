"""Messages to the workspace's own people about something new."""

from __future__ import annotations

from django.db import models

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account
from accounts.models.workspaces import Membership


class Notification(PublicModel):
    """One cause told to one member, once. Its words are made when it is read, from `context`."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    cause_key = models.CharField(max_length=200)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    context = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    in_app = models.BooleanField(default=True)
    in_digest = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    digest = models.ForeignKey(
        "accounts.NotificationDigest", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("membership", "kind", "cause_key", name="notification_cause"),
            unique_in_workspace("public_id", name="notification_public_id"),
        ]
        indexes = [
            models.Index(fields=["workspace", "membership", "-id"], name="notification_latest"),
            models.Index(
                fields=["workspace", "membership"],
                name="notification_unread",
                condition=models.Q(read_at__isnull=True, in_app=True),
            ),
        ]


class NotificationChoice(WorkspaceModel):
    """Where a member wants to hear of one kind; without a row the kind's own defaults hold."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    in_app = models.BooleanField()
    in_digest = models.BooleanField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("membership", "kind", name="notification_choice")]


class NotificationDigest(WorkspaceModel):
    """The one summary of a member's local day; `notifications` is how many it told."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    local_date = models.DateField()
    notifications = models.PositiveIntegerField(default=0)
    email = models.ForeignKey(
        "accounts.OutboundEmail", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("membership", "local_date", name="notification_digest_day")]
