"""The first days of a workspace: events, the scorecard, the first night."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from accounts.registry import StepFacts, WelcomeStep, welcome_steps
from health.models import Event, NightRun, RunStatus, Scorecard, ScorecardVersion


def _first_event(workspace: Workspace, now: datetime) -> StepFacts:
    newest = Event.objects.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    if newest is None:
        return StepFacts(False)
    day = date_format(newest.astimezone(workspace.zone), "DATE_FORMAT")
    return StepFacts(True, gettext("newest of %(day)s") % {"day": day})


def _scorecard(workspace: Workspace, now: datetime) -> StepFacts:
    """The default is a proposal: somebody has to look at it and publish what fits."""
    version = (
        ScorecardVersion.objects.filter(published_at__isnull=False, published_by__isnull=False)
        .select_related("published_by", "scorecard")
        .order_by("-published_at")
        .first()
    )
    card = version.scorecard if version else Scorecard.objects.order_by("pk").first()
    note = gettext("published by %(who)s") % {"who": version.published_by} if version else ""
    return StepFacts(version is not None, note, (card.public_id,) if card else ())


def _first_night(workspace: Workspace, now: datetime) -> StepFacts:
    night = NightRun.objects.filter(status=RunStatus.DONE).order_by("-as_of").first()
    if night is not None:
        return StepFacts(True, date_format(night.as_of, "DATE_FORMAT"))
    local = now.astimezone(workspace.zone)
    day = local.date() + timedelta(days=1 if local.hour >= workspace.night_hour else 0)
    words = gettext("It comes by itself on %(day)s after %(hour)s:00.")
    return StepFacts(False, words % {"day": date_format(day, "DATE_FORMAT"), "hour": workspace.night_hour})


def register() -> None:
    def step(
        name: str, label: object, text: object, action: object, url: str, look: object, order: int
    ) -> None:
        permission = "settings.manage" if name == "events" else "health.configure"
        welcome_steps.register(
            WelcomeStep(name, label, text, action, url, look, permission=permission, order=order)  # type: ignore[arg-type]
        )

    step(
        "events",
        _("Send the first event"),
        _("Three lines in your product, with the Segment library you may have already. You see it arrive."),
        _("Connect your product"),
        "health:connect",
        _first_event,
        20,
    )
    step(
        "scorecard",
        _("Publish your health score"),
        _("A proposal is there. Say what a healthy customer is in your business, then publish it."),
        _("Open the scorecard"),
        "health:scorecard",
        _scorecard,
        40,
    )
    step(
        "night",
        _("Let the first night run"),
        _("It measures and scores every account and fills the queue. You may also start it now."),
        _("Open the nightly runs"),
        "health:runs",
        _first_night,
        50,
    )
