"""Who pays and with what, every try to collect, and what we ask of the payment provider."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.billing import Invoice, Subscription
from accounts.models.customers import Account
from accounts.models.workspaces import User


class BillingCustomer(PublicModel):
    """Who pays at the provider. An account may have several; one whose account is not known yet has none."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="billing_customers"
    )
    provider = models.CharField(max_length=12, default="stripe")
    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=8, blank=True)
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    default_method = models.CharField(max_length=200, blank=True)
    discount = models.CharField(
        max_length=300,
        blank=True,
        help_text="what is taken off all subscriptions that have no discount of their own",
        default="",
        db_default="",
    )
    is_deleted = models.BooleanField(default=False)
    properties = models.JSONField(default=dict, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="billing_customer_external_id"),
            unique_in_workspace("public_id", name="billing_customer_public_id"),
        ]
        indexes = [models.Index(fields=["workspace", "account"], name="billing_customer_account")]


class PaymentMethod(PublicModel):
    """A card, debit or wallet as the provider names it; never a number. `blocked_at`: its bank refused it for
    good, and the database takes no further charge of it (`accounts/order_guard.py`)."""

    customer = models.ForeignKey(BillingCustomer, on_delete=models.CASCADE, related_name="methods")
    external_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, help_text="card, sepa_debit, paypal, … as the provider says")
    brand = models.CharField(max_length=40, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    exp_month = models.PositiveSmallIntegerField(null=True, blank=True)
    exp_year = models.PositiveSmallIntegerField(null=True, blank=True)
    country = models.CharField(max_length=2, blank=True)
    fingerprint = models.CharField(max_length=100, blank=True)
    wallet = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    replaced_at = models.DateTimeField(
        null=True, blank=True, help_text="the card network's updater put a new card behind it"
    )
    detached_at = models.DateTimeField(null=True, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    blocked_code = models.CharField(max_length=60, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("external_id", name="payment_method_external_id"),
            unique_in_workspace("public_id", name="payment_method_public_id"),
        ]


class OrderKind(models.TextChoices):
    PAY = "pay", _("Charge an invoice")
    TAKE_OVER = "take_over", _("Stop the provider's own retries")
    HAND_BACK = "hand_back", _("Let the provider retry again")
    SET_METHOD = "set_method", _("Use another payment method")
    SETUP = "setup", _("Open a page for a new payment method")
    UNCOLLECTIBLE = "uncollectible", _("Mark an invoice uncollectible")
    CANCEL = "cancel", _("Cancel a subscription")
    PAUSE = "pause", _("Pause a subscription")
    RESUME = "resume", _("Resume a subscription")


class OrderState(models.TextChoices):
    """planned: committed, not sent; sent: a call began; unknown: it ended without an answer.

    From sent and unknown the way leads on by the same key for 20 hours, then only by reading what the provider
    holds. `action_needed`: the person must confirm. `by_hand`: no provider is connected, a person does it.
    """

    PLANNED = "planned", _("Planned")
    SENT = "sent", _("Sent")
    UNKNOWN = "unknown", _("Outcome unknown")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    PENDING = "pending", _("Being processed")
    ACTION_NEEDED = "action_needed", _("Waits for the person")
    CANCELED = "canceled", _("Canceled")
    BY_HAND = "by_hand", _("Done by hand")


OPEN_ORDERS = (OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN)


class MadeBy(models.TextChoices):
    PROVIDER = "provider", _("Provider")
    PLATFORM = "platform", _("Retry")
    CSM = "csm", _("CSM")
    PERSON = "person", _("Customer")


class BillingOrder(PublicModel):
    """What we ask of the provider: the intent and its key are committed before the call, the result after it.

    The key is deterministic (`<invoice>:<number>` for a charge) and sent again unchanged with the same
    parameters; `source_type` and `source_id` name who asked, told in the transaction of the result
    (`accounts.registry.order_sources`). At most one charge of an invoice is on its way, at most one succeeds.
    """

    kind = models.CharField(max_length=16, choices=OrderKind.choices)
    state = models.CharField(max_length=16, choices=OrderState.choices, default=OrderState.PLANNED)
    made_by = models.CharField(max_length=10, choices=MadeBy.choices, default=MadeBy.PLATFORM)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.CASCADE, related_name="orders"
    )
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    customer = models.ForeignKey(
        BillingCustomer, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    source_type = models.CharField(max_length=60, blank=True)
    source_id = models.BigIntegerField(null=True, blank=True)
    number = models.PositiveSmallIntegerField(default=1, help_text="of the charges of this invoice")
    key = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    method = models.CharField(max_length=200, blank=True, help_text="the payment method to be charged")
    on_day = models.DateField(help_text="the workspace's local day of the plan")
    planned_at = models.DateTimeField()
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="first call; the key is safe for 20 hours"
    )
    sends = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    was_read_back = models.BooleanField(default=False, help_text="settled by reading, not by the answer")
    provider_ref = models.CharField(max_length=200, blank=True)
    decline_code = models.CharField(max_length=60, blank=True)
    advice_code = models.CharField(max_length=60, blank=True)
    network_code = models.CharField(max_length=60, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    result = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("key", name="billing_order_key"),
            unique_in_workspace("public_id", name="billing_order_public_id"),
            unique_in_workspace(
                "invoice",
                name="billing_order_one_open_charge",
                condition=Q(kind="pay", state__in=("planned", "sent", "unknown", "pending")),
            ),
            unique_in_workspace(
                "invoice", name="billing_order_one_success", condition=Q(kind="pay", state="succeeded")
            ),
            unique_in_workspace("invoice", "number", name="billing_order_number", condition=Q(kind="pay")),
            unique_in_workspace(
                "invoice",
                "on_day",
                name="billing_order_one_a_day",
                condition=Q(kind="pay", made_by="platform") & ~Q(state__in=("canceled", "by_hand")),
            ),
            models.CheckConstraint(
                condition=~Q(kind="pay") | Q(invoice__isnull=False, amount_minor__isnull=False),
                name="billing_order_charge_names_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("planned", "canceled", "by_hand")) | Q(sent_at__isnull=False),
                name="billing_order_sent_before_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "source_type", "source_id", "-id"], name="billing_order_source"
            ),
            models.Index(fields=["workspace", "account", "-id"], name="billing_order_account"),
            models.Index(
                fields=["workspace", "state", "id"],
                name="billing_order_open",
                condition=Q(state__in=("planned", "sent", "unknown", "pending")),
            ),
        ]


class PaymentAttempt(WorkspaceModel):
    """One try to collect an invoice, whoever made it. `external_id`: the provider's charge."""

    class Status(models.TextChoices):
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        PENDING = "pending", _("Being processed")

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="attempts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    attempted_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=Status.choices)
    decline_code = models.CharField(max_length=60, blank=True)
    advice_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    network_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    external_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    amount_minor = models.BigIntegerField(null=True, blank=True)
    made_by = models.CharField(
        max_length=10, choices=MadeBy.choices, default=MadeBy.PROVIDER, db_default=MadeBy.PROVIDER
    )
    order = models.ForeignKey(
        BillingOrder, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    method = models.CharField(max_length=200, blank=True, default="", db_default="")
    method_kind = models.CharField(max_length=40, blank=True, default="", db_default="")
    brand = models.CharField(max_length=40, blank=True, default="", db_default="")
    last4 = models.CharField(max_length=4, blank=True, default="", db_default="")
    country = models.CharField(max_length=2, blank=True, default="", db_default="")
    fingerprint = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("invoice", "number", name="payment_attempt_number"),
            unique_in_workspace(
                "external_id", name="payment_attempt_external_id", condition=~Q(external_id="")
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "account", "-attempted_at"], name="payment_attempt_account"),
            models.Index(fields=["workspace", "-attempted_at"], name="payment_attempt_latest"),
            # How often one card was tried lately, asked before every charge.
            models.Index(fields=["workspace", "fingerprint", "attempted_at"], name="payment_attempt_card"),
        ]
