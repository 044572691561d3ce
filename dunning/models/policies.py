"""How a workspace collects failed payments: one policy, in versions."""

from __future__ import annotations

from django.db import models

from accounts.models.base import PublicModel, unique_in_workspace
from accounts.models.versions import VersionModel, version_constraints
from accounts.models.workspaces import User


class DunningPolicy(PublicModel):
    """The workspace's policy; what it says is in its versions (`dunning/policy`).

    Nothing is collected before a person has started it: payments that failed before `collecting_since` get no case.
    """

    created_at = models.DateTimeField(auto_now_add=True)
    collecting_since = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PublicModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["workspace"], name="dunning_policy_once"),
            unique_in_workspace("public_id", name="dunning_policy_public_id"),
        ]


class DunningPolicyVersion(VersionModel):
    """A frozen definition as `dunning.policy.definition` reads it; a case keeps the one it began with."""

    PARENT = "policy"

    policy = models.ForeignKey(DunningPolicy, on_delete=models.CASCADE, related_name="versions")

    class Meta(VersionModel.Meta):
        constraints = version_constraints("policy", "dunning_policy_version")
