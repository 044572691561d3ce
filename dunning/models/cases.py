"""The recovery of one invoice, step by step."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, BillingOrder, Contact, Invoice, User
from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from dunning.models.policies import DunningPolicyVersion
from health.models import SequenceRun


class CaseState(models.TextChoices):
    OPEN = "open", _("Open")
    RECOVERED = "recovered", _("Recovered")
    UNCOLLECTIBLE = "uncollectible", _("Not collected")
    CANCELED = "canceled", _("Canceled")


class RecoveredBy(models.TextChoices):
    """What brought the money: the first three are ours to count, in this order of least effort."""

    SILENT_RETRY = "silent_retry", _("Silent retry")
    NOTICE = "notice", _("Notice")
    PERSON = "person", _("A person")
    ELSEWHERE = "elsewhere", _("Paid elsewhere")


class DunningCase(PublicModel):
    """One per invoice. Its columns are what its steps replay to (`dunning/cases/transitions.py`), kept for lists.

    `policy_version` is frozen at the opening. `phase` says what it waits for, `next_at` when its job looks again.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="dunning_cases")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    policy_version = models.ForeignKey(DunningPolicyVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=CaseState.choices, default=CaseState.OPEN)
    phase = models.CharField(max_length=24, blank=True)
    closing_reason = models.CharField(max_length=40, blank=True)
    recovered_by = models.CharField(max_length=16, choices=RecoveredBy.choices, blank=True)
    opened_at = models.DateTimeField()
    failed_at = models.DateTimeField(help_text="the first failed attempt")
    closed_at = models.DateTimeField(null=True, blank=True)
    amount_minor = models.BigIntegerField(help_text="owed at the opening")
    recovered_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    decline_code = models.CharField(max_length=60, blank=True)
    decline_class = models.CharField(max_length=24, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="failed ones, the first included")
    step_count = models.PositiveIntegerField(default=0)
    next_retry_at = models.DateTimeField(null=True, blank=True)
    notices_at = models.DateTimeField(null=True, blank=True, help_text="when the notices begin")
    ends_at = models.DateTimeField(help_text="when the end state of the policy comes")
    next_at = models.DateTimeField(null=True, blank=True)
    card_updated_at = models.DateTimeField(null=True, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    leaves_at = models.DateTimeField(null=True, blank=True, help_text="they have canceled as of then")
    notice_run = models.ForeignKey(
        SequenceRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_held_out = models.BooleanField(default=False, help_text="gets no middle notices")

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("invoice", name="dunning_case_once"),
            unique_in_workspace("public_id", name="dunning_case_public_id"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | ~Q(state="open") & Q(closed_at__isnull=False),
                name="dunning_case_closed_at",
            ),
            models.CheckConstraint(
                condition=~Q(state="recovered") | ~Q(recovered_by=""), name="dunning_case_recovered_by"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "state", "-opened_at", "-id"], name="dunning_case_board"),
            models.Index(fields=["workspace", "account", "-id"], name="dunning_case_account"),
            models.Index(fields=["workspace", "-failed_at"], name="dunning_case_failed"),
        ]

    @property
    def is_told_of(self) -> bool:
        """Whether its customer may be written to about it now."""
        return self.state == CaseState.OPEN and self.stopped_at is None and self.leaves_at is None


class DunningStep(WorkspaceModel):
    """A line of a case's history, append only. `kind` and `detail` are the reducer's
    (`dunning.cases.transitions.StepKind`); `reason` is the code of "why now" or "why not retried"."""

    case = models.ForeignKey(DunningCase, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=32)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    order = models.ForeignKey(
        BillingOrder, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    acting_user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("case", "number", name="dunning_step_number")]


class BillQuestion(PublicModel):
    """What a customer's person asked about a bill on the card page."""

    case = models.ForeignKey(DunningCase, null=True, on_delete=models.CASCADE, related_name="questions")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(max_length=4000)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="bill_question_public_id")]
        indexes = [models.Index(fields=["workspace", "account", "-id"], name="bill_question_account")]
