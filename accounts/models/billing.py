"""The billing mirror: plans, subscriptions and what was paid. Words are Stripe's own.

Rows come from imports, the API or a payment provider (`provider`); `fetched_at` is when the read began that a
provider's row shows, so that an older answer never overwrites a newer one.
"""

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
from accounts.models.customers import Account


class BillingInterval(models.TextChoices):
    MONTH = "month", _("Monthly")
    QUARTER = "quarter", _("Quarterly")
    YEAR = "year", _("Yearly")


class EndedCause(models.TextChoices):
    VOLUNTARY = "voluntary", _("Voluntary")
    INVOLUNTARY = "involuntary", _("Involuntary")
    UNKNOWN = "unknown", _("Unknown")


class CancellationReason(models.TextChoices):
    """Why a customer leaves, in the field's words; files and systems may bring others along."""

    CUSTOMER_SERVICE = "customer_service", _("Customer service")
    LOW_QUALITY = "low_quality", _("Low quality")
    MISSING_FEATURES = "missing_features", _("Missing features")
    SWITCHED_SERVICE = "switched_service", _("Switched to another service")
    TOO_COMPLEX = "too_complex", _("Too complex")
    TOO_EXPENSIVE = "too_expensive", _("Too expensive")
    UNUSED = "unused", _("Not used")
    OTHER = "other", _("Other")


class Plan(PublicModel):
    """What is sold. `list_mrr_minor` is the monthly list price of one subscription (per seat if `is_per_seat`)."""

    name = models.CharField(max_length=200)
    external_id = models.CharField(
        max_length=200, blank=True, help_text="the provider's price", default="", db_default=""
    )
    list_mrr_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    is_per_seat = models.BooleanField(default=False)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("name", name="plan_name"),
            unique_in_workspace("external_id", name="plan_external_id", condition=~models.Q(external_id="")),
            unique_in_workspace("public_id", name="plan_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class Subscription(MirroredModel):
    """The present state of a subscription; its past is in SubscriptionChange."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="subscriptions")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    external_id = models.CharField(max_length=200)
    status = models.CharField(max_length=24, default="active")
    mrr_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    seats = models.PositiveIntegerField(null=True, blank=True)
    billing_interval = models.CharField(
        max_length=8, choices=BillingInterval.choices, default=BillingInterval.MONTH
    )
    term_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="length of the contract; empty = one billing interval"
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    renews_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="as given; empty = by the start and the term",
    )
    ended_reason = models.CharField(max_length=40, blank=True)
    ended_cause = models.CharField(max_length=12, choices=EndedCause.choices, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    provider = models.CharField(
        max_length=12, blank=True, help_text="empty: imported", default="", db_default=""
    )
    customer = models.ForeignKey(
        "accounts.BillingCustomer", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    default_method = models.CharField(
        max_length=200,
        blank=True,
        help_text="a payment method of its own, which is charged first",
        default="",
        db_default="",
    )
    collection_method = models.CharField(max_length=24, blank=True, default="", db_default="")
    cancel_at = models.DateTimeField(null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    discount_ends_at = models.DateTimeField(null=True, blank=True)
    is_collection_paused = models.BooleanField(default=False, db_default=False)
    pause_ends_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta(MirroredModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="subscription_external_id"),
            unique_in_workspace("public_id", name="subscription_public_id"),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="subscription_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "account", "started_at"], name="subscription_account"),
            changed_index("subscription_changed"),
        ]

    @property
    def ended_reason_label(self) -> str:
        """The reason in words; one that was brought along stands as it came."""
        known = dict(CancellationReason.choices)
        return str(known.get(self.ended_reason, self.ended_reason.replace("_", " ")))


class SubscriptionChange(WorkspaceModel):
    """Terms of a subscription from `effective_at` on (the first row is its start); `known_at` is when we learnt it."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="changes")
    effective_at = models.DateTimeField()
    known_at = models.DateTimeField()
    plan = models.ForeignKey(Plan, null=True, on_delete=models.SET_NULL, related_name="+")
    mrr_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    seats = models.PositiveIntegerField(null=True, blank=True)
    billing_interval = models.CharField(max_length=8, choices=BillingInterval.choices)
    source_import = models.ForeignKey(
        "accounts.Import",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("subscription", "effective_at", name="subscription_change")]


class MrrMovement(WorkspaceModel):
    """A change of an account's MRR, derived from subscription changes; `amount_minor` is signed."""

    class Kind(models.TextChoices):
        NEW = "new", _("New")
        EXPANSION = "expansion", _("Expansion")
        CONTRACTION = "contraction", _("Contraction")
        CHURN = "churn", _("Churn")
        REACTIVATION = "reactivation", _("Reactivation")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mrr_movements")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    occurred_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    mrr_before_minor = models.BigIntegerField()
    mrr_after_minor = models.BigIntegerField()

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("account", "currency", "occurred_at", name="mrr_movement"),
            models.CheckConstraint(
                condition=models.Q(mrr_after_minor=models.F("mrr_before_minor") + models.F("amount_minor")),
                name="mrr_movement_adds_up",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "occurred_at"], name="mrr_movement_when")]


class ExchangeRate(WorkspaceModel):
    """Units of the report currency for one unit of `currency`, from `on_date` on."""

    currency = models.CharField(max_length=3)
    on_date = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=9)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("currency", "on_date", name="exchange_rate")]


class Invoice(MirroredModel):
    """Mirror of an invoice; `status` is Stripe's: draft, open, paid, void, uncollectible."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invoices")
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    external_id = models.CharField(max_length=200)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=16)
    due_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    provider = models.CharField(
        max_length=12, blank=True, help_text="empty: imported", default="", db_default=""
    )
    customer = models.ForeignKey(
        "accounts.BillingCustomer", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    number = models.CharField(
        max_length=100, blank=True, help_text="as the customer knows it", default="", db_default=""
    )
    description = models.CharField(max_length=300, blank=True, default="", db_default="")
    amount_paid_minor = models.BigIntegerField(default=0, db_default=0)
    refunded_minor = models.BigIntegerField(default=0, db_default=0)
    billing_reason = models.CharField(max_length=40, blank=True, default="", db_default="")
    collection_method = models.CharField(max_length=24, blank=True, default="", db_default="")
    is_auto_advance = models.BooleanField(
        default=False, help_text="the provider itself goes on trying to collect it", db_default=False
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="the provider's own next try")
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    hosted_url = models.CharField(max_length=2000, blank=True, default="", db_default="")
    payment_ref = models.CharField(
        max_length=200,
        blank=True,
        help_text="what its charges are tied to at the provider",
        default="",
        db_default="",
    )
    made_at = models.DateTimeField(null=True, blank=True, help_text="when the provider made it")
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta(MirroredModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="invoice_external_id"),
            unique_in_workspace("public_id", name="invoice_public_id"),
        ]
        indexes = [
            models.Index(fields=["workspace", "account", "-due_at"], name="invoice_account"),
            models.Index(
                fields=["workspace", "payment_ref"],
                name="invoice_payment_ref",
                condition=~models.Q(payment_ref=""),
            ),
            changed_index("invoice_changed"),
        ]
