"""The workspace's customers: accounts, their people, what is known about them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import (
    MirroredModel,
    PublicModel,
    WorkspaceModel,
    changed_index,
    unique_in_workspace,
)
from accounts.models.workspaces import LANGUAGES, Membership, User


class Account(MirroredModel):
    """A customer of the workspace."""

    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=300)
    domain = models.CharField(max_length=253, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=60, blank=True)
    csm = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(help_text="when the customer began, in the customer's own records")
    is_start_assumed = models.BooleanField(
        default=False, help_text="nobody told us `created_at`: an earlier subscription moves it back"
    )
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta(MirroredModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="account_external_id"),
            unique_in_workspace("public_id", name="account_public_id"),
        ]
        indexes = [
            # Partial: the checks of foreign keys must never take it for the way to an account.
            models.Index(
                fields=["workspace", "csm"], name="account_csm", condition=models.Q(csm__isnull=False)
            ),
            models.Index(fields=["workspace", "name", "id"], name="account_name"),
            changed_index("account_changed"),
        ]

    def __str__(self) -> str:
        return self.name


class LetGo(WorkspaceModel):
    """An account that the team deliberately lets go, with who said so and why."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="let_go")
    note = models.TextField(max_length=2000)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("account", name="let_go_open", condition=models.Q(withdrawn_at__isnull=True))
        ]


class ContactRole(models.TextChoices):
    ADMIN = "admin", _("Admin")
    BILLING = "billing", _("Billing")
    EXECUTIVE = "executive", _("Executive sponsor")
    CHAMPION = "champion", _("Champion")
    USER = "user", _("User")


class Contact(MirroredModel):
    """A person at an account. `left_at` is set when they have left the customer."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contacts")
    external_id = models.CharField(max_length=200)
    email = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=8, choices=LANGUAGES, default="en")
    is_champion = models.BooleanField(default=False)
    left_at = models.DateTimeField(null=True, blank=True)
    traits = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta(MirroredModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="contact_external_id"),
            unique_in_workspace("public_id", name="contact_public_id"),
        ]
        indexes = [
            models.Index(fields=["workspace", "account"], name="contact_account"),
            models.Index(fields=["workspace", "email"], name="contact_email"),
            changed_index("contact_changed"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id


class TraitDefinition(WorkspaceModel):
    """A column of an account that the workspace brought along."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        BOOLEAN = "boolean", _("Yes or no")
        DATE = "date", _("Date")

    key = models.CharField(max_length=100)
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    is_dated = models.BooleanField(default=False, help_text="every value has the date it was known")
    use_in_model = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("key", name="trait_key")]


class AccountTrait(WorkspaceModel):
    """One dated value of a trait. The latest row with `known_at` before a moment holds then.

    An undated imported value counts as known since the account began (`known_at` NULL).
    `value_text` is always there (dates as ISO); `value_number` too unless the trait is text:
    the number, 1 or 0 for yes or no, days since 1970-01-01 for a date.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="traits")
    definition = models.ForeignKey(TraitDefinition, on_delete=models.CASCADE, related_name="+")
    value_text = models.CharField(max_length=1000, blank=True)
    value_number = models.FloatField(null=True, blank=True)
    known_at = models.DateTimeField(null=True, blank=True)
    source_import = models.ForeignKey(
        "accounts.Import",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace(
                "account", "definition", "known_at", name="account_trait", nulls_distinct=False
            )
        ]


class TicketPriority(models.TextChoices):
    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class Ticket(MirroredModel):
    """Mirror of a support ticket. Satisfaction is 1 to 5, higher is better."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tickets")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    external_id = models.CharField(max_length=200)
    subject = models.CharField(max_length=500, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    priority = models.CharField(max_length=8, choices=TicketPriority.choices, default=TicketPriority.NORMAL)
    satisfaction = models.FloatField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)

    class Meta(MirroredModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="ticket_external_id"),
            unique_in_workspace("public_id", name="ticket_public_id"),
        ]
        indexes = [
            models.Index(fields=["workspace", "account", "-opened_at"], name="ticket_account"),
            changed_index("ticket_changed"),
        ]


class Note(PublicModel):
    """A CSM's own words about an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField(max_length=20_000)
    is_pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="note_public_id")]
        indexes = [models.Index(fields=["workspace", "account", "-created_at"], name="note_account")]


class TouchKind(models.TextChoices):
    """Kinds of `Activity` that a CSM writes down by hand."""

    CALL = "call", _("Call")
    MEETING = "meeting", _("Meeting")
    EMAIL = "email", _("Email")
    VISIT = "visit", _("Visit")


class Activity(PublicModel):
    """A line of the account's timeline.

    `kind` is a registered code; `is_touch` marks contact between a CSM and the customer.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="activities")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    is_touch = models.BooleanField(default=False)
    occurred_at = models.DateTimeField()
    source = models.CharField(max_length=60, blank=True)
    source_id = models.BigIntegerField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="activity_public_id"),
            unique_in_workspace(
                "source",
                "source_id",
                "kind",
                name="activity_source",
                condition=models.Q(source_id__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["workspace", "account", "-occurred_at"], name="activity_account")]
