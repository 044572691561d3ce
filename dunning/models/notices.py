"""What is said before a payment fails: once per cause and date."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Contact, OutboundEmail
from accounts.models.base import PublicModel, unique_in_workspace


class AdvanceNoticeKind(models.TextChoices):
    RENEWAL = "renewal", _("Coming payment")
    CARD_EXPIRES = "card_expires", _("Card about to expire")
    PRICE_CHANGE = "price_change", _("Change of price")
    DISCOUNT_ENDS = "discount_ends", _("End of a discount")


class AdvanceNotice(PublicModel):
    """One notice of one cause: `subject` names the subscription or card by the provider's id, `about_on` the day
    of the payment, expiry or change. Kept as the proof that a duty to tell was met."""

    kind = models.CharField(max_length=16, choices=AdvanceNoticeKind.choices)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    subject = models.CharField(max_length=200)
    about_on = models.DateField()
    days_before = models.PositiveSmallIntegerField()
    email = models.ForeignKey(
        OutboundEmail, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    not_sent_because = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="advance_notice_public_id"),
            unique_in_workspace("kind", "subject", "about_on", "days_before", name="advance_notice_once"),
        ]
        indexes = [models.Index(fields=["workspace", "account", "-id"], name="advance_notice_account")]
