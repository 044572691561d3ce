"""Sign-in by the workspace's own OpenID provider."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import WorkspaceModel, unique_in_workspace
from accounts.models.workspaces import Role
from cs_platform.lib.encryption import EncryptedTextField


class IdentityProvider(WorkspaceModel):
    """Who vouches for the members of one workspace; at most one per workspace.

    What it says holds in its own workspace only, see `accounts/access.py`. `authorize_origin` is where the
    browser is sent to ("https://login.example.com"), as the provider's own description named it last.
    """

    name = models.CharField(max_length=80)
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=300)
    client_secret = EncryptedTextField(blank=True)
    authorize_origin = models.CharField(max_length=300, blank=True)
    domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    joins = models.BooleanField(default=False, help_text="verified addresses of the domains come in unasked")
    newcomer_role = models.CharField(
        max_length=8,
        choices=[(Role.CSM.value, _("CSM")), (Role.VIEWER.value, _("Viewer"))],
        default=Role.VIEWER.value,
    )
    is_enabled = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace(name="identity_provider_one"),
            models.CheckConstraint(
                condition=models.Q(newcomer_role__in=["csm", "viewer"]), name="identity_provider_role"
            ),
        ]

    def __str__(self) -> str:
        return self.name
