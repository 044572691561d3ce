"""Which CSM gets which account, by rules in order."""

from __future__ import annotations

from django.db import models

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.workspaces import Membership


class AssignmentRule(PublicModel):
    """Accounts that match `tree` go to the CSMs of the rule; the first rule that matches decides.

    `tree` is a rule as `accounts.segments.parse_tree` reads it; empty = every account.
    """

    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    is_enabled = models.BooleanField(default=True)
    tree = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("name", name="assignment_rule_name"),
            unique_in_workspace("public_id", name="assignment_rule_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class AssignmentRuleMember(WorkspaceModel):
    """A CSM that a rule hands accounts to: one = always this one, several = shared out by free capacity."""

    rule = models.ForeignKey(AssignmentRule, on_delete=models.CASCADE, related_name="pool")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("rule", "member", name="assignment_rule_member")]


class AssignmentPolicy(WorkspaceModel):
    """What holds for all rules of the workspace; no row = nothing set."""

    high_value_arr_minor = models.BigIntegerField(
        null=True, blank=True, help_text="from here on an account always gets a CSM, even over capacity"
    )
    is_nightly = models.BooleanField(default=False, help_text="new accounts without a CSM are handed out")

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace(name="assignment_policy")]
