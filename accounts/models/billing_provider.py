"""The connection to a payment provider: keys, pace, synchronisation, and where the two ledgers differ."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.workspaces import User
from cs_platform.lib.encryption import EncryptedTextField


class BillingConnection(PublicModel):
    """A workspace's way to its payment provider; at most one is connected.

    `missing` names the rights that the restricted key lacks. The former webhook secret proves messages until
    `previous_until`, so that it can be changed without losing one.
    """

    provider = models.CharField(max_length=12, default="stripe")
    api_key = EncryptedTextField(blank=True)
    webhook_secret = EncryptedTextField(blank=True)
    previous_secret = EncryptedTextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    account_ref = models.CharField(max_length=100, blank=True, help_text="the provider's id of the company")
    account_name = models.CharField(max_length=200, blank=True)
    is_live = models.BooleanField(default=False, help_text="real money, not a test mode")
    missing = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    calls_per_second = models.PositiveSmallIntegerField(default=20)
    connected_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True, blank=True)
    events_read_to = models.DateTimeField(
        null=True, blank=True, help_text="messages made before it are known to be here"
    )
    last_message_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True, help_text="the provider no longer takes the key")
    unproven_at = models.DateTimeField(
        null=True, blank=True, help_text="a message came last that was not proven to be the provider's"
    )
    unproven_reason = models.CharField(max_length=60, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="billing_connection_public_id"),
            models.UniqueConstraint(
                fields=["workspace"],
                name="billing_connection_one",
                condition=models.Q(disconnected_at__isnull=True),
            ),
        ]


class BillingPace(WorkspaceModel):
    """When the next call to the provider may begin: one row a workspace, shared by all processes."""

    free_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace"], name="billing_pace_once")]


class BillingSync(PublicModel):
    """A walk through the provider's data: the first one, the hourly list of messages, the nightly comparison."""

    class Kind(models.TextChoices):
        FIRST = "first", _("First synchronisation")
        MESSAGES = "messages", _("Missed messages")
        LEDGER = "ledger", _("Comparison of the ledgers")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    connection = models.ForeignKey(BillingConnection, on_delete=models.CASCADE, related_name="syncs")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    cursor = models.JSONField(default=dict, help_text="where a restart goes on")
    counts = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="billing_sync_public_id"),
            unique_in_workspace(
                "connection", "kind", name="billing_sync_one", condition=models.Q(state="running")
            ),
        ]
        indexes = [models.Index(fields=["workspace", "kind", "-started_at"], name="billing_sync_latest")]


class BillingDifference(PublicModel):
    """Where our mirror and the provider's ledger did not say the same; mended at once where reading mends it."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", _("Not in our mirror")
        MISSING_THERE = "missing_there", _("Not at the provider")
        STATUS = "status", _("Other status")
        AMOUNT = "amount", _("Other amount")
        CHARGE_UNBOOKED = "charge_unbooked", _("Charge that is not here")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    object_type = models.CharField(max_length=24)
    external_id = models.CharField(max_length=200)
    ours = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="billing_difference_public_id"),
            unique_in_workspace(
                "kind",
                "object_type",
                "external_id",
                name="billing_difference_open",
                condition=models.Q(resolved_at__isnull=True),
            ),
        ]


class LedgerRow(WorkspaceModel):
    """What the provider's list said of one object, until a comparison is done."""

    sync = models.ForeignKey(BillingSync, on_delete=models.CASCADE, related_name="+")
    object_type = models.CharField(max_length=24)
    external_id = models.CharField(max_length=200)
    parent_ref = models.CharField(max_length=200, blank=True, help_text="of a charge: its payment")
    status = models.CharField(max_length=24, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("sync", "object_type", "external_id", name="ledger_row_once")]


class BillingMessage(PublicModel):
    """A message of the provider, stored raw before it was answered, worked on later.

    Once per message id, however often and in whatever order it comes. `processed_at`: the object it speaks of
    was read afresh after it arrived. Parked after too many failures; the body goes once it was worked on.
    """

    message_id = models.CharField(max_length=200)
    message_type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=200, blank=True)
    body = models.BinaryField(null=True)
    made_at = models.DateTimeField()
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    deliveries = models.PositiveIntegerField(default=1)
    was_listed = models.BooleanField(default=False, help_text="found by listing, never delivered")
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("message_id", name="billing_message_once"),
            unique_in_workspace("public_id", name="billing_message_public_id"),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "received_at"],
                name="billing_message_open",
                condition=models.Q(processed_at__isnull=True),
            ),
            models.Index(
                fields=["workspace", "object_id"],
                name="billing_message_about",
                condition=models.Q(processed_at__isnull=True, parked_at__isnull=True),
            ),
            models.Index(fields=["workspace", "-received_at"], name="billing_message_latest"),
        ]
