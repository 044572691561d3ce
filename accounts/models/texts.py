"""Mail texts with their versions, and how the workspace's mails look."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.mail import MailCategory, MailClass
from accounts.models.versions import VersionModel, version_constraints
from accounts.models.workspaces import User


class TextPurpose(models.TextChoices):
    """What a text is for: who offers it, and which placeholders it may use."""

    PERSONAL = "personal", _("Written by a CSM")
    PLAYBOOK = "playbook", _("Playbook")
    ONBOARDING = "onboarding", _("Onboarding")
    SURVEY = "survey", _("Survey")
    DUNNING = "dunning", _("Failed payment")
    CANCELLATION = "cancellation", _("Cancellation")
    WINBACK = "winback", _("Win-back")
    NEWS = "news", _("News")


class MailText(PublicModel):
    """A text that mails are made of. Its words are in its versions; it is archived, never deleted."""

    key = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=12, choices=TextPurpose.choices, default=TextPurpose.PERSONAL)
    mail_class = models.CharField(max_length=20, choices=MailClass.choices, default=MailClass.OTHER)
    category = models.CharField(
        max_length=20,
        choices=MailCategory.choices,
        blank=True,
        help_text="what the person switches off with it; empty: as the kind of mail says",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("key", name="mail_text_key"),
            unique_in_workspace("public_id", name="mail_text_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class MailTextVersion(VersionModel):
    """`definition`: {language: {"subject", "body"}}, both with placeholders, the body in our small markup."""

    PARENT = "text"

    text = models.ForeignKey(MailText, on_delete=models.CASCADE, related_name="versions")

    class Meta(VersionModel.Meta):
        constraints = version_constraints("text", "mail_text_version")


class BrandLogo(PublicModel):
    """A picture shown in mails and on public pages. Old ones stay: mails that are out there name them."""

    file = models.OneToOneField("accounts.StoredFile", on_delete=models.PROTECT, related_name="+")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="brand_logo_public_id")]


class MailBranding(WorkspaceModel):
    """Sender and look of the workspace's mails and public pages; no row means the defaults.

    `from_address` is used only once somebody has confirmed it from its own mailbox.
    """

    class ReplyTo(models.TextChoices):
        CSM = "csm", _("The account's CSM")
        FIXED = "fixed", _("One address")
        NONE = "none", _("The sender's address")

    from_name = models.CharField(max_length=100, blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    from_confirmed_at = models.DateTimeField(null=True, blank=True)
    reply_to = models.CharField(max_length=5, choices=ReplyTo.choices, default=ReplyTo.CSM)
    reply_to_address = models.CharField(max_length=254, blank=True)
    logo = models.ForeignKey(BrandLogo, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    colour = models.CharField(max_length=7, blank=True)
    postal_address = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace(name="mail_branding_once"),
            models.CheckConstraint(
                condition=models.Q(colour="") | models.Q(colour__regex=r"^#[0-9a-f]{6}$"),
                name="mail_branding_colour",
            ),
        ]
