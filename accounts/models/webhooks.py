"""Outgoing webhooks: who wants to hear of what, each message once, each delivery with its log."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.workspaces import User
from cs_platform.lib.encryption import EncryptedTextField


class WebhookEndpoint(PublicModel):
    """An address that gets signed messages. Disabled by a person, or by lasting failure.

    `secret` signs; `previous_secret` signs too until `previous_until`, so that a receiver can be
    moved to the new one without losing a message. Both are encrypted at rest.
    """

    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    secret = EncryptedTextField()
    previous_secret = EncryptedTextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=40, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="webhook_endpoint_public_id")]

    @property
    def wants_all(self) -> bool:
        return not self.event_types


class WebhookMessage(PublicModel):
    """Something that happened, to be told once per cause. `public_id` is the message's `webhook-id`."""

    event_type = models.CharField(max_length=60)
    cause_key = models.CharField(max_length=200)
    payload = models.JSONField()
    occurred_at = models.DateTimeField()

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("event_type", "cause_key", name="webhook_message_cause"),
            unique_in_workspace("public_id", name="webhook_message_public_id"),
        ]
        indexes = [models.Index(fields=["workspace", "-occurred_at"], name="webhook_message_latest")]


class WebhookDelivery(PublicModel):
    """A message on its way to one endpoint."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("endpoint", "message", name="webhook_delivery_once"),
            unique_in_workspace("public_id", name="webhook_delivery_public_id"),
        ]
        indexes = [models.Index(fields=["workspace", "endpoint", "-id"], name="webhook_delivery_latest")]


class WebhookAttempt(WorkspaceModel):
    """One try of a delivery. `status_code` 0: no answer, `error` says why. The answer's body is not kept."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    number = models.PositiveSmallIntegerField()
    attempted_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=40, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("delivery", "number", name="webhook_attempt")]
