"""Usage: raw events, the batches they came in, and the daily rollups folded from them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models.base import WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account


class Event(WorkspaceModel):
    """A thing done in the customer's product.

    Partitioned by month of `occurred_at` (created in SQL, see the migration). The key is
    workspace + time + 16-byte hash of the message id. `account_id` and `contact_id` are what
    the raw keys resolved to; NULL means unattributed, and a mapping learnt later fills them.
    """

    pk = models.CompositePrimaryKey("workspace_id", "occurred_at", "message_hash")
    occurred_at = models.DateTimeField()
    message_hash = models.BinaryField(max_length=16)
    received_at = models.DateTimeField()
    name = models.TextField()
    account = models.ForeignKey(
        Account, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    contact = models.ForeignKey(
        "accounts.Contact",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    user_key = models.TextField(blank=True)
    group_key = models.TextField(blank=True)
    quantity = models.FloatField(default=1)
    properties = models.JSONField(null=True)
    source_import = models.ForeignKey(
        "accounts.Import",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta(WorkspaceModel.Meta):
        managed = False
        db_table = "health_event"


class IntakeBatch(WorkspaceModel):
    """One durable batch and the (account, day) cells it touched; folding deletes it.

    `account_ids[i]` and `days[i]` name a cell. Written in the transaction of the events.
    """

    received_at = models.DateTimeField()
    source = models.CharField(max_length=20)
    events = models.PositiveIntegerField()
    account_ids = ArrayField(models.BigIntegerField())
    days = ArrayField(models.DateField())

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "id"], name="intake_batch_order")]


class UnattributedUser(WorkspaceModel):
    """Raw keys whose events wait for a mapping, with what came in under them.

    `has_account` is False while no account was found (shown as unattributed), True when the
    group names the account and only the person is unknown. Resolving deletes the row.
    """

    user_key = models.TextField(blank=True)
    group_key = models.TextField(blank=True)
    has_account = models.BooleanField(default=False)
    events = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("user_key", "group_key", name="unattributed_user")]
        indexes = [
            models.Index(fields=["workspace", "has_account", "-events"], name="unattributed_user_events")
        ]


class UserAlias(WorkspaceModel):
    """Another key of the same person: what `alias` said, chains already followed to their end."""

    key = models.CharField(max_length=200)
    user_key = models.CharField(max_length=200)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("key", name="user_alias_key")]
        indexes = [models.Index(fields=["workspace", "user_key"], name="user_alias_user_key")]


class WaitingIdentity(WorkspaceModel):
    """What `identify` said about a person whose account is not known yet; a contact once it is."""

    user_key = models.CharField(max_length=200)
    group_key = models.CharField(max_length=200, blank=True)
    traits = models.JSONField(default=dict)
    seen_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("user_key", name="waiting_identity_user_key")]
        indexes = [models.Index(fields=["workspace", "group_key"], name="waiting_identity_group_key")]


class UsageRollup(WorkspaceModel):
    """Daily count: events of one name of one account on one local day."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.TextField()
    day = models.DateField()
    events = models.IntegerField()
    quantity = models.FloatField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("account", "day", "name", name="usage_rollup_cell")]
        indexes = [models.Index(fields=["workspace", "day"], name="usage_rollup_day")]


class AccountDay(WorkspaceModel):
    """All events of one account on one local day: how many, by how many people, of how many kinds."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    events = models.IntegerField()
    quantity = models.FloatField()
    active_contacts = models.IntegerField()
    distinct_names = models.IntegerField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("account", "day", name="account_day_cell")]
        indexes = [models.Index(fields=["workspace", "day"], name="account_day_day")]


class ContactDays(WorkspaceModel):
    """The days on which one person was active, as bits.

    `block` = days since 1970-01-01 divided by 32; bit i of `bits` = day block * 32 + i.
    `person_key` is the contact's id when known, else "?" and the raw user key.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    person_key = models.TextField()
    block = models.IntegerField()
    bits = models.BigIntegerField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("account", "block", "person_key", name="contact_days_cell")]


class KeyFeature(WorkspaceModel):
    """An event name that the admin marked as one that shows value."""

    name = models.TextField()
    label = models.CharField(max_length=100, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("name", name="key_feature_name")]
