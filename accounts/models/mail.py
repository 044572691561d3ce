"""Whom we may mail: suppression, holds, decisions, and what the mail system reported back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Contact
from accounts.models.shared import OutboundEmail
from accounts.models.workspaces import User
from cs_platform.lib.encryption import EncryptedTextField


class MailClass(models.TextChoices):
    """How freely a person may be mailed; each class has clocks of its own (`services/arbiter.py`)."""

    TRANSACTIONAL = "transactional", _("Transactional")
    TRANSACTIONAL_SURVEY = "transactional_survey", _("Survey after an event")
    RELATIONSHIP_SURVEY = "relationship_survey", _("Relationship survey")
    OTHER = "other", _("Everything else")


class MailCategory(models.TextChoices):
    """What a person can switch off by itself on the preference page."""

    PRODUCT_UPDATES = "product_updates", _("Product updates")
    SURVEYS = "surveys", _("Surveys")
    TIPS = "tips", _("Tips and help with getting started")
    OFFERS = "offers", _("Offers and newsletters")


class Motion(models.TextChoices):
    """Who wants to mail, most important first: a hold of one keeps all those below it away."""

    DUNNING = "dunning", _("Payment recovery")
    CANCELLATION = "cancellation", _("Cancellation")
    ONBOARDING = "onboarding", _("Onboarding")
    PLAYBOOK = "playbook", _("Playbook")
    SHIPPED_NOTE = "shipped_note", _("Shipped note")
    SURVEY = "survey", _("Survey")
    WINBACK = "winback", _("Win-back")
    NEWSLETTER = "newsletter", _("Newsletter")

    @property
    def rank(self) -> int:
        """0 is the most important."""
        return list(Motion).index(self)


class EmailSuppression(PublicModel):
    """An address that gets no mail, or only transactional mail, from this workspace, and why.

    `is_total` stops transactional mail too. `category` narrows an unsubscription; `until` ends a pause.
    After an erasure only the hash is left.
    """

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("Address does not exist")
        COMPLAINT = "complaint", _("Marked as spam")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        SOFT_BOUNCES = "soft_bounces", _("Mailbox refused three times")
        PAUSED = "paused", _("Paused by the person")
        MANUAL = "manual", _("Added by hand")

    address_hash = models.BinaryField(max_length=32)
    address = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    category = models.CharField(max_length=20, choices=MailCategory.choices, blank=True)
    is_total = models.BooleanField(default=False)
    until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("address_hash", "reason", "category", name="email_suppression"),
            unique_in_workspace("public_id", name="email_suppression_public_id"),
            models.CheckConstraint(
                condition=models.Q(category="") | models.Q(reason="unsubscribed"),
                name="email_suppression_category",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(reason__in=("paused", "soft_bounces")),
                name="email_suppression_until",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="email_suppression_latest")]


class ContactHold(PublicModel):
    """A motion's claim on a person: motions below it do not mail them until it ends."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    motion = models.CharField(max_length=20, choices=Motion.choices)
    placed_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="contact_hold_public_id"),
            unique_in_workspace(
                "contact", "motion", name="contact_hold_open", condition=models.Q(released_at__isnull=True)
            ),
        ]


class MailDecision(WorkspaceModel):
    """What the arbiter said about one person and one mail: the answer to "why was she not mailed?"."""

    class Verdict(models.TextChoices):
        ALLOWED = "allowed", _("May go")
        LATER = "later", _("Later")
        REFUSED = "refused", _("Not sent")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    email = models.ForeignKey(
        OutboundEmail, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(max_length=60)
    mail_class = models.CharField(max_length=24, choices=MailClass.choices)
    motion = models.CharField(max_length=20, choices=Motion.choices, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=30)
    detail = models.JSONField(default=dict, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "contact", "-decided_at"], name="mail_decision_contact")]


class MailProvider(PublicModel):
    """Where bounces and complaints come from, and the secret that proves it. At most one per provider."""

    name = models.CharField(max_length=20)
    secret = EncryptedTextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    last_received_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("name", name="mail_provider_name"),
            unique_in_workspace("public_id", name="mail_provider_public_id"),
        ]


class InboundWebhook(PublicModel):
    """What somebody else's system told us: stored raw and verified before the answer, worked on later.

    `digest` covers source and body, so that a repeated delivery is the same row. The body is emptied
    once it was worked on: what it said is stored elsewhere.
    """

    source = models.CharField(max_length=40)
    digest = models.BinaryField(max_length=32)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    deliveries = models.PositiveIntegerField(default=1)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("source", "digest", name="inbound_webhook_digest"),
            unique_in_workspace("public_id", name="inbound_webhook_public_id"),
        ]


class MailEvent(WorkspaceModel):
    """What the mail system reported about one mail: delivered, bounced, complained; once per event id."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        HARD_BOUNCE = "hard_bounce", _("Refused for good")
        SOFT_BOUNCE = "soft_bounce", _("Refused for now")
        BLOCKED = "blocked", _("Refused as unwanted")
        COMPLAINT = "complaint", _("Marked as spam")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed at the provider")

    event_id = models.CharField(max_length=200)
    email = models.ForeignKey(
        OutboundEmail, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    address_hash = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    code = models.CharField(max_length=40, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("event_id", name="mail_event_once")]
        indexes = [
            models.Index(fields=["workspace", "address_hash", "-occurred_at"], name="mail_event_address"),
            models.Index(fields=["workspace", "email"], name="mail_event_email"),
        ]
