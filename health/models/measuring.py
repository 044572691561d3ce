"""Metrics, snapshots, scores: what is measured of each account, day by day."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.customers import Account, Contact
from accounts.models.segments import Segment
from accounts.models.versions import VersionModel, version_constraints
from accounts.models.workspaces import Membership


class HealthBand(models.TextChoices):
    RED = "red", _("At risk")
    YELLOW = "yellow", _("Watch")
    GREEN = "green", _("Healthy")


class LifecycleStage(models.TextChoices):
    """Where an account stands with us; how it is told is written at `health/services/state_select.py`."""

    NONE = "none", _("No subscription yet")
    TRIAL = "trial", _("Trial")
    ONBOARDING = "onboarding", _("Onboarding")
    LIVE = "live", _("Live")
    RENEWING = "renewing", _("Renewing")
    LAPSED = "lapsed", _("Lapsed")


class MetricPosition(WorkspaceModel):
    """Append-only catalogue: which place in `AccountSnapshot.values` a metric has, for ever."""

    key = models.CharField(max_length=150)
    position = models.PositiveIntegerField()

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("key", name="metric_position_key"),
            unique_in_workspace("position", name="metric_position_position"),
        ]


class AccountSnapshot(WorkspaceModel):
    """All metrics of one account as of a local day's first instant (facts before it only).

    `values[position]` per MetricPosition; NULL = no data. `is_rebuilt` marks snapshots made
    later from imported history. Live ones are never rewritten by later nights.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    as_of = models.DateField()
    is_rebuilt = models.BooleanField(default=False)
    values = ArrayField(models.FloatField(null=True))
    taken_at = models.DateTimeField(
        db_default=Now(), help_text="an import finished later makes a rebuilt one stale"
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("as_of", "account", name="account_snapshot")]
        indexes = [models.Index(fields=["workspace", "account", "as_of"], name="account_snapshot_account")]


class Scorecard(PublicModel):
    """Weights, bands and rules of the health score, for one segment (first match by position wins).

    The card without a segment is the default and comes last, whatever its position. A retired card
    scores nobody; its versions stay, because old scores were made by them.
    """

    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    segment = models.ForeignKey(Segment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("name", name="scorecard_name", condition=models.Q(retired_at__isnull=True)),
            unique_in_workspace("public_id", name="scorecard_public_id"),
            unique_in_workspace(
                name="scorecard_one_default",
                condition=models.Q(segment__isnull=True, retired_at__isnull=True),
            ),
        ]


class ScorecardVersion(VersionModel):
    """A frozen definition of a scorecard (format: `health/scoring`)."""

    PARENT = "scorecard"

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="versions")

    class Meta(VersionModel.Meta):
        constraints = version_constraints("scorecard", "scorecard_version")


class HealthScore(WorkspaceModel):
    """The score of one account and day by one version; contributions align with its measures
    and sum to `score` before a cap. `score` is NULL when no measure had data."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    as_of = models.DateField()
    version = models.ForeignKey(ScorecardVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    score = models.FloatField(null=True)
    band = models.CharField(max_length=6, choices=HealthBand.choices, blank=True)
    coverage = models.FloatField()
    contributions = ArrayField(models.FloatField(null=True))
    cap = models.FloatField(null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("as_of", "account", name="health_score")]
        indexes = [models.Index(fields=["workspace", "account", "as_of"], name="health_score_account")]


class ModelVersion(PublicModel):
    """A trained churn model with its whole record; the artefact is our documented JSON."""

    number = models.PositiveIntegerField()
    horizon_days = models.PositiveSmallIntegerField()
    trained_as_of = models.DateField()
    trained_at = models.DateTimeField(auto_now_add=True)
    record = models.JSONField()
    artefact = models.JSONField(null=True)
    drift = models.JSONField(
        default=dict,
        help_text="latest night: as_of, shifted features with their stability index, how many were asked",
    )
    is_eligible = models.BooleanField(default=False, help_text="passed the gate")
    live_from = models.DateTimeField(null=True, blank=True)
    live_until = models.DateTimeField(null=True, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("number", name="model_version_number"),
            unique_in_workspace("public_id", name="model_version_public_id"),
            models.UniqueConstraint(
                fields=["workspace"],
                name="model_version_one_live",
                condition=models.Q(live_from__isnull=False, live_until__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(live_from__isnull=True) | models.Q(is_eligible=True),
                name="model_version_only_eligible_live",
            ),
        ]


class ChurnPrediction(WorkspaceModel):
    """Probability that the account's last subscription ends within the version's horizon.

    NULL probability = not enough data. `reasons` = [{"feature", "value", "effect"}] with the
    effect in log-odds, strongest first.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    as_of = models.DateField()
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    probability = models.FloatField(null=True)
    reasons = models.JSONField(default=list)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("as_of", "account", "version", name="churn_prediction"),
            models.CheckConstraint(
                condition=models.Q(probability__isnull=True)
                | models.Q(probability__gte=0, probability__lte=1),
                name="churn_prediction_is_a_probability",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "account", "as_of"], name="churn_prediction_account")]


class AccountState(WorkspaceModel):
    """The latest of everything, one row per account, in typed columns that lists filter and sort by."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="state", db_index=False, primary_key=False
    )
    as_of = models.DateField()
    is_customer = models.BooleanField(default=False, help_text="has a running subscription")
    name = models.CharField(max_length=300)
    csm = models.ForeignKey(
        Membership, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    plan = models.CharField(max_length=200, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=60, blank=True)
    arr_minor = models.BigIntegerField(default=0, help_text="in the workspace's report currency")
    list_arr_minor = models.BigIntegerField(default=0, help_text="by list price, for accounts without ARR")
    currency = models.CharField(max_length=3)
    health_score = models.FloatField(null=True)
    health_band = models.CharField(max_length=6, choices=HealthBand.choices, blank=True)
    health_change = models.FloatField(null=True, help_text="against 28 days before")
    coverage = models.FloatField(null=True)
    churn_probability = models.FloatField(null=True)
    expected_loss_minor = models.BigIntegerField(default=0)
    urgency = models.FloatField(default=1)
    renews_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    lifecycle = models.CharField(max_length=12, choices=LifecycleStage.choices, default=LifecycleStage.NONE)
    last_seen_on = models.DateField(null=True)
    sparkline = ArrayField(
        models.FloatField(null=True), default=list, help_text="weekly scores, oldest first"
    )
    events_total = models.BigIntegerField(default=0)
    search_digest = models.BigIntegerField(null=True, help_text="of the words its search tokens were made of")

    class Meta(WorkspaceModel.Meta):
        constraints = [
            unique_in_workspace("account", name="account_state"),
            models.CheckConstraint(
                condition=models.Q(urgency__gte=1, urgency__lte=2), name="account_state_urgency_1_to_2"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-expected_loss_minor", "-account"], name="account_state_loss"),
            models.Index(
                fields=["workspace", "csm", "-expected_loss_minor", "-account"], name="account_state_csm"
            ),
            models.Index(
                fields=["workspace", "health_band", "-expected_loss_minor"], name="account_state_band"
            ),
            models.Index(fields=["workspace", "name", "account"], name="account_state_name"),
            models.Index(fields=["workspace", "health_score", "account"], name="account_state_score"),
            models.Index(fields=["workspace", "renews_at", "account"], name="account_state_renews"),
        ]


class SearchToken(WorkspaceModel):
    """Lower-cased words of account names, domains, ids and contacts, for prefix search under row-level security."""

    token = models.TextField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["workspace", "token"], name="search_token"),
            models.Index(fields=["workspace", "account"], name="search_token_account"),
        ]
