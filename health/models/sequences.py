"""Durable steps: what is configured (Sequence and its versions) and what runs (SequenceRun, StepRun)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Contact, OutboundEmail
from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.versions import VersionModel, version_constraints
from accounts.models.workspaces import User
from health.models.working import QueueItem


class SequenceKind(models.TextChoices):
    """Kinds other than playbooks are begun by the motions above."""

    PLAYBOOK = "playbook", _("Playbook")
    NOTICE = "notice", _("Notice")
    CAMPAIGN = "campaign", _("Campaign")


class PauseReason(models.TextChoices):
    """By hand everything holds; over the daily cap only nobody new begins."""

    HAND = "hand", _("Paused by hand")
    CAP = "cap", _("Paused by the daily cap")


class Sequence(PublicModel):
    """A named sequence of steps; the steps themselves are in its versions (`health/sequences`)."""

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=SequenceKind.choices, default=SequenceKind.PLAYBOOK)
    purpose = models.CharField(max_length=300, blank=True)
    library_key = models.CharField(max_length=60, blank=True, help_text="which ready playbook it began as")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    began_at = models.DateTimeField(
        null=True, blank=True, help_text="first publication: entries into a segment before it do not count"
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    pause_reason = models.CharField(max_length=8, choices=PauseReason.choices, blank=True)
    waiting_accounts = models.PositiveIntegerField(
        default=0, help_text="how many stood before the door when the cap closed it"
    )
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="runs begun before do not count for the cap any more"
    )
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("name", name="sequence_name", condition=models.Q(archived_at__isnull=True)),
            unique_in_workspace("public_id", name="sequence_public_id"),
            models.CheckConstraint(
                condition=models.Q(paused_at__isnull=True, pause_reason="")
                | models.Q(paused_at__isnull=False) & ~models.Q(pause_reason=""),
                name="sequence_pause_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holds_runs(self) -> bool:
        """Whether running runs stand still too."""
        return self.pause_reason == PauseReason.HAND


class SequenceVersion(VersionModel):
    """A frozen definition as `health.sequences.parse_sequence` reads it."""

    PARENT = "sequence"

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="versions")

    class Meta(VersionModel.Meta):
        constraints = version_constraints("sequence", "sequence_version")


class RunState(models.TextChoices):
    """active: a step is due; waiting: until `next_due`; paused: a person holds it; the rest is over."""

    ACTIVE = "active", _("Running")
    WAITING = "waiting", _("Waiting")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Finished")
    EXITED = "exited", _("Left early")
    FAILED = "failed", _("Failed")


OPEN_STATES = (RunState.ACTIVE, RunState.WAITING, RunState.PAUSED, RunState.FAILED)


class SequenceRun(PublicModel):
    """One account (or one person of it) on its way through a version of a sequence.

    `source` says what began it ("risk:17", "segment:40", "hand:<form>"): once per sequence and source.
    The run keeps the version it began with.
    """

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(SequenceVersion, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sequence_runs")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.ACTIVE)
    position = models.PositiveSmallIntegerField(default=0, help_text="index of the current step, from 0")
    visit = models.PositiveSmallIntegerField(
        default=1, help_text="how often the current step has been reached"
    )
    next_due = models.DateTimeField(null=True, blank=True, help_text="while waiting: when to look again")
    wait_ends = models.DateTimeField(null=True, blank=True, help_text="while waiting: not longer than this")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("sequence", "source", name="sequence_run_source"),
            unique_in_workspace("public_id", name="sequence_run_public_id"),
            unique_in_workspace(
                "sequence",
                "account",
                "contact",
                name="sequence_run_one_open",
                condition=models.Q(state__in=["active", "waiting", "paused", "failed"]),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["done", "exited"], finished_at__isnull=False)
                | ~models.Q(state__in=["done", "exited"]) & models.Q(finished_at__isnull=True),
                name="sequence_run_finished_at",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "account", "-started_at"], name="sequence_run_account"),
            models.Index(fields=["workspace", "sequence", "-id"], name="sequence_run_latest"),
            models.Index(fields=["workspace", "sequence", "started_at"], name="sequence_run_started"),
            models.Index(
                fields=["workspace", "state", "next_due"],
                name="sequence_run_open",
                condition=models.Q(state__in=["active", "waiting", "paused", "failed"]),
            ),
        ]


class StepState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Skipped")
    FAILED = "failed", _("Failed")


class StepRun(WorkspaceModel):
    """One step of one run, once per visit; committed with its effect. `result` holds codes and ids."""

    run = models.ForeignKey(SequenceRun, on_delete=models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    visit = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=StepState.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict)
    email = models.ForeignKey(
        OutboundEmail, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    queue_item = models.ForeignKey(
        QueueItem, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("run", "position", "visit", name="step_run_once")]
        indexes = [models.Index(fields=["workspace", "queue_item"], name="step_run_queue_item")]
