"""Risks, the queue, and the runs of the night."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account
from accounts.models.workspaces import Membership, User

TRAIN_JOB = "health.train"


class Severity(models.IntegerChoices):
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")


class RiskRule(WorkspaceModel):
    """A workspace's settings for one registered rule: on or off, its thresholds, what the CSM should do."""

    cause = models.CharField(max_length=60)
    is_enabled = models.BooleanField(default=True)
    parameters = models.JSONField(default=dict)
    instruction = models.TextField(max_length=4000, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, default=Severity.MEDIUM)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("cause", name="risk_rule_cause")]


class Risk(PublicModel):
    """A named open problem of an account. One row per account and cause while open."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="risks")
    cause = models.CharField(max_length=60)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    evidence = models.JSONField(default=dict, help_text="the numbers the sentence is made of")
    opened_on = models.DateField()
    refreshed_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace(
                "account", "cause", name="risk_open", condition=models.Q(closed_on__isnull=True)
            ),
            unique_in_workspace("public_id", name="risk_public_id"),
        ]
        indexes = [models.Index(fields=["workspace", "cause", "account"], name="risk_cause")]


class QueueItem(PublicModel):
    """A thing a CSM should do next; one per account and source while open. The Queue page
    groups an account's open items into one row."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="queue_items")
    source = models.CharField(max_length=60, help_text="'risk:<cause>' or a registered source")
    risk = models.ForeignKey(Risk, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    evidence = models.JSONField(default=dict)
    opened_on = models.DateField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace(
                "account", "source", name="queue_item_open", condition=models.Q(closed_at__isnull=True)
            ),
            unique_in_workspace("public_id", name="queue_item_public_id"),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "source", "account"],
                name="queue_item_source",
                condition=models.Q(closed_at__isnull=True),
            )
        ]


class QueueEntry(WorkspaceModel):
    """The queue's read side: one row per account with open items, in the order of the page.

    Derived from QueueItem, AccountState and Snooze by `health/services/queue.py` in the same
    transaction as they change, so that the page reads one index.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="queue_entry", db_index=False
    )
    csm = models.ForeignKey(
        Membership, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    has_arr = models.BooleanField(default=True)
    expected_loss_minor = models.BigIntegerField()
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    items = models.PositiveSmallIntegerField()
    opened_on = models.DateField()
    snoozed_until = models.DateField(null=True, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("account", name="queue_entry")]
        indexes = [
            models.Index(
                fields=["workspace", "-has_arr", "-expected_loss_minor", "-account"], name="queue_entry_order"
            ),
            models.Index(
                fields=["workspace", "csm", "-has_arr", "-expected_loss_minor", "-account"],
                name="queue_entry_csm",
            ),
        ]


class Snooze(WorkspaceModel):
    """An account put off in the queue until a local day, by whom and why."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="snoozes")
    until = models.DateField()
    note = models.CharField(max_length=500, blank=True)
    snoozed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    snoozed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("account", name="snooze_open", condition=models.Q(ended_at__isnull=True))
        ]


class ResolutionResult(models.TextChoices):
    HELPED = "helped", _("Helped")
    NO_ANSWER = "no_answer", _("No answer")
    NOT_NEEDED = "not_needed", _("Not needed")
    LOST = "lost", _("Lost")


class Resolution(PublicModel):
    """Closed with a result. While the cause still holds, the same item stays quiet until `quiet_until`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="resolutions")
    result = models.CharField(max_length=12, choices=ResolutionResult.choices)
    note = models.TextField(max_length=2000, blank=True)
    sources = models.JSONField(default=list, help_text="sources of the items that it closed")
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    resolved_at = models.DateTimeField()
    quiet_until = models.DateField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="resolution_public_id")]
        indexes = [models.Index(fields=["workspace", "account", "-resolved_at"], name="resolution_account")]


class RunStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    STARTED = "started", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class StageName(models.TextChoices):
    FOLD = "fold", _("Fold events into days")
    SNAPSHOT = "snapshot", _("Measure accounts")
    SCORE = "score", _("Score health")
    PREDICT = "predict", _("Predict churn")
    STATE = "state", _("Refresh lists")
    SEGMENT = "segment", _("Fill the segments")
    RISK = "risk", _("Find risks")
    SEQUENCE = "sequence", _("Run playbooks")
    QUEUE = "queue", _("Fill the queue")
    OUTCOME = "outcome", _("Settle outcomes")
    TELL = "tell", _("Tell what is new")


class NightRun(PublicModel):
    """One nightly run of a workspace for one local date (unique, so daylight saving runs once)."""

    as_of = models.DateField()
    status = models.CharField(max_length=8, choices=RunStatus.choices, default=RunStatus.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("as_of", name="night_run_once"),
            unique_in_workspace("public_id", name="night_run_public_id"),
        ]


class StageRun(WorkspaceModel):
    """The cursor of one stage (and shard) of a night: STARTED -> DONE; a restart redoes a started one."""

    night = models.ForeignKey(NightRun, on_delete=models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=30, choices=StageName.choices)
    position = models.PositiveSmallIntegerField()
    shard = models.PositiveSmallIntegerField(default=0)
    shards = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=8, choices=RunStatus.choices, default=RunStatus.WAITING)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    rows = models.BigIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("night", "stage", "shard", name="stage_run_once")]


class ActionReceipt(PublicModel):
    """What one act in the queue did to which accounts, so that it can be undone as one act."""

    class Verb(models.TextChoices):
        SNOOZED = "snoozed", _("Snoozed")
        RESOLVED = "resolved", _("Resolved")
        ASSIGNED = "assigned", _("Assigned")

    verb = models.CharField(max_length=10, choices=Verb.choices)
    acted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    acted_at = models.DateTimeField()
    data = models.JSONField(
        default=dict, help_text="ids of the rows it made or changed, with what stood before"
    )
    accounts = models.PositiveIntegerField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [unique_in_workspace("public_id", name="action_receipt_public_id")]
