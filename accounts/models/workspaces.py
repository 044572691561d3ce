"""Our tenants, their people and who may come in."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from cs_platform.lib.scoping import user_scope

LANGUAGES = [("en", "English"), ("ko", "한국어")]


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    CSM = "csm", _("CSM")
    VIEWER = "viewer", _("Viewer")


class MfaPolicy(models.TextChoices):
    """Who must have a second factor to enter the workspace."""

    OPTIONAL = "optional", _("Nobody has to")
    ADMINS = "admins", _("Owners and admins")
    EVERYONE = "everyone", _("Everyone")


def monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


class Workspace(models.Model):
    """Our tenant. Not scoped itself: it is what a scope names."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=63, default="UTC")
    language = models.CharField(max_length=8, choices=LANGUAGES, default="en")
    report_currency = models.CharField(max_length=3, default="USD")
    horizon_days = models.PositiveSmallIntegerField(default=90)
    night_hour = models.PositiveSmallIntegerField(default=2)
    mfa_policy = models.CharField(max_length=8, choices=MfaPolicy.choices, default=MfaPolicy.OPTIONAL)
    working_days = ArrayField(
        models.PositiveSmallIntegerField(), default=monday_to_friday, help_text="0 is Monday"
    )
    outside_held_since = models.DateTimeField(
        null=True, blank=True, help_text="after a restore: mails, webhooks and payments wait for a human"
    )
    deletion_requested_at = models.DateTimeField(null=True, blank=True)
    deletion_due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(horizon_days__gte=7, horizon_days__lte=365), name="workspace_horizon_days"
            ),
            models.CheckConstraint(condition=models.Q(night_hour__lte=23), name="workspace_night_hour"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. What it may do is said by its memberships, one per workspace."""

    email = models.EmailField(_("email address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(max_length=8, choices=LANGUAGES, default="en")
    time_zone = models.CharField(max_length=63, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.name or self.email

    def memberships(self) -> list[Membership]:
        """Active memberships in all workspaces, by workspace name."""
        with user_scope(self.pk):
            rows = Membership.of_users.filter(user_id=self.pk, is_active=True)
            return list(rows.select_related("workspace").order_by("workspace__name", "pk"))


class Membership(PublicModel):
    """A user's place in a workspace. A user may read their own rows in every workspace
    (`user_scope`); everything else needs the workspace's scope."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=8, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    capacity_accounts = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    of_users = models.Manager()

    class Meta(PublicModel.Meta):
        default_manager_name = "objects"
        constraints = [
            unique_in_workspace("user", name="membership_unique"),
            unique_in_workspace("public_id", name="membership_public_id"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Invitation(PublicModel):
    """An open door for one mail address; the token is stored as a hash only."""

    email = models.EmailField()
    role = models.CharField(max_length=8, choices=Role.choices)
    token_hash = models.BinaryField(max_length=32)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("token_hash", name="invitation_token"),
            unique_in_workspace("public_id", name="invitation_public_id"),
        ]


class ApiKey(PublicModel):
    """A machine credential `<scope>_<workspace>.<secret>`; only the secret's hash is kept."""

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Write")
        PUBLISH = "publish", _("Publish")

    name = models.CharField(max_length=100, blank=True)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    secret_hash = models.BinaryField(max_length=32)
    hint = models.CharField(max_length=8)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("secret_hash", name="api_key_secret"),
            unique_in_workspace("public_id", name="api_key_public_id"),
        ]


class AuditEntry(WorkspaceModel):
    """Append-only history: ids and codes, never texts or personal data.

    `digest` chains each row to the one before it, so an edit or a removal is found.
    """

    action = models.CharField(max_length=80)
    actor = models.ForeignKey(
        User, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.BigIntegerField(null=True, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    digest = models.BinaryField(max_length=32)

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["workspace", "object_type", "object_id", "-id"], name="audit_object"),
            models.Index(fields=["workspace", "-id"], name="audit_latest"),
            models.Index(fields=["workspace", "action", "-id"], name="audit_action"),
            models.Index(fields=["workspace", "actor", "-id"], name="audit_actor"),
        ]


class SavedView(PublicModel):
    """A named filter of a list page, of one user or shared with the workspace."""

    page = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=1000, blank=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("user", "page", "name", name="saved_view_unique"),
            unique_in_workspace("public_id", name="saved_view_public_id"),
        ]
