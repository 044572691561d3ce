"""Experiments: who was drawn into which arm before anybody acted, and what became of each account."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account
from accounts.models.workspaces import User

TREATMENT, HOLDOUT = "treatment", "holdout"


class OutcomeKind(models.TextChoices):
    """What became of an account: its subscriptions and ARR at the window's end against its start."""

    RETAINED = "retained", _("Retained")
    CHURNED = "churned", _("Churned")
    CONTRACTED = "contracted", _("Contracted")
    EXPANDED = "expanded", _("Expanded")


class Goal(models.TextChoices):
    """What counts as success; fixed before the start."""

    RETAINED = "retained", _("Still a customer")
    ARR_KEPT = "arr_kept", _("Still a customer, with at least the same ARR")
    EXPANDED = "expanded", _("A customer with more ARR")


GOAL_KINDS: dict[str, tuple[str, ...]] = {
    Goal.RETAINED: (OutcomeKind.RETAINED, OutcomeKind.CONTRACTED, OutcomeKind.EXPANDED),
    Goal.ARR_KEPT: (OutcomeKind.RETAINED, OutcomeKind.EXPANDED),
    Goal.EXPANDED: (OutcomeKind.EXPANDED,),
}


class StopReason(models.TextChoices):
    COMPLETE = "complete", _("The plan is complete")
    BY_HAND = "by_hand", _("Stopped by hand")
    REPLACED = "replaced", _("What it tested was replaced")


def new_seed() -> str:
    """Decides every draw of an experiment; unknown to everybody before it starts."""
    return secrets.token_hex(16)


class Experiment(PublicModel):
    """A holdout test of one thing (`subject_type`, `subject_id`), its plan fixed before the start.

    `plan` states what the chosen size can show: {"base_rate", "base_from", "alpha", "power",
    "detectable"}. `arr_edges` are the two tercile edges of ARR, fixed so that strata stay what they are.
    """

    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    outcome = models.CharField(max_length=12, choices=Goal.choices)
    window_days = models.PositiveSmallIntegerField()
    planned_accounts = models.PositiveIntegerField(
        help_text="accounts in both groups; then the draw is closed"
    )
    plan = models.JSONField(default=dict)
    arr_edges = models.JSONField(default=list, help_text="minor units of the report currency")
    seed = models.CharField(max_length=32, default=new_seed, editable=False)
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    stopped_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=12, choices=StopReason.choices, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="experiment_public_id"),
            unique_in_workspace(
                "subject_type",
                "subject_id",
                name="experiment_one_running",
                condition=models.Q(stopped_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(window_days__gte=1, window_days__lte=730), name="experiment_window"
            ),
            models.CheckConstraint(
                condition=models.Q(stopped_at__isnull=True, stop_reason="")
                | models.Q(stopped_at__isnull=False) & ~models.Q(stop_reason=""),
                name="experiment_stop_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "-started_at"], name="experiment_started")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None


class Variant(WorkspaceModel):
    """One arm; `quota` of every `block` accounts of a stratum go to it."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="variants", db_index=False
    )
    name = models.CharField(max_length=40)
    is_holdout = models.BooleanField(default=False)
    quota = models.PositiveSmallIntegerField()
    block = models.PositiveSmallIntegerField()

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("experiment", "name", name="variant_name"),
            models.CheckConstraint(
                condition=models.Q(quota__gte=1, quota__lt=models.F("block")), name="variant_is_a_share"
            ),
        ]

    @property
    def share(self) -> float:
        return float(self.quota / self.block)


class Assignment(WorkspaceModel):
    """Which arm an account is in, drawn before anyone acted; never changed.

    `position` counts the accounts of a stratum in the order of their draw: with the seed it decides
    the arm, so a draw can be checked afterwards.
    """

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="assignments", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+", db_index=False)
    stratum = models.CharField(max_length=20, help_text="band and ARR tercile at the draw, as 'red:2'")
    position = models.PositiveIntegerField()
    assigned_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="end of the window; until then a held-out account is left alone")

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("experiment", "account", name="assignment_once"),
            unique_in_workspace("experiment", "stratum", "position", name="assignment_position"),
        ]
        indexes = [models.Index(fields=["workspace", "account", "-ends_at"], name="assignment_account")]


class Exposure(WorkspaceModel):
    """When the thing tested first reached an assigned account. Never decides who is counted."""

    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, related_name="exposures", db_index=False
    )
    exposed_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("assignment", name="exposure_once")]


class Exclusion(WorkspaceModel):
    """An account that is not drawn, and why; it takes no part in the comparison."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="exclusions", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    reason = models.CharField(max_length=200)
    excluded_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("experiment", "account", name="exclusion_once")]
        indexes = [models.Index(fields=["workspace", "account"], name="exclusion_account")]


class Outcome(WorkspaceModel):
    """What became of an account after the window of an assignment or of a run; settled once, when it is over.

    The row is written with its cause and waits; `source_type`, `source_id` name that cause. Money is in
    minor units of `currency`, both at the exchange rates of the start, so that a rate is no expansion.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="outcomes", db_index=False)
    source_type = models.CharField(max_length=60)
    source_id = models.BigIntegerField()
    assignment = models.OneToOneField(
        Assignment, null=True, on_delete=models.CASCADE, related_name="outcome", db_index=False
    )
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=OutcomeKind.choices, blank=True)
    arr_before_minor = models.BigIntegerField(null=True)
    arr_after_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("source_type", "source_id", name="outcome_once"),
            unique_in_workspace("assignment", name="outcome_of_assignment"),
            models.CheckConstraint(
                condition=models.Q(settled_at__isnull=True, kind="")
                | models.Q(
                    ~models.Q(kind=""),
                    settled_at__gte=models.F("ends_at"),
                    arr_before_minor__isnull=False,
                    arr_after_minor__isnull=False,
                ),
                name="outcome_settled_after_its_window",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "ends_at"],
                name="outcome_waiting",
                condition=models.Q(settled_at__isnull=True),
            ),
            models.Index(fields=["workspace", "account", "-ends_at"], name="outcome_account"),
        ]
