"""The steps that the engine itself understands: waiting and branching."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.utils.translation import gettext_lazy as _

from accounts.models import TraitDefinition
from health.registry import sequence_dates
from health.sequences.spec import Choices, ControlStep, StepField

WAIT, WAIT_DATE, WAIT_RULE, WAIT_ITEM, BRANCH = "wait", "wait_date", "wait_rule", "wait_item", "branch"
WAITS = (WAIT, WAIT_DATE, WAIT_RULE, WAIT_ITEM)

UNITS: Choices = [("days", _("days")), ("working_days", _("working days")), ("hours", _("hours"))]
SIDES: Choices = [("before", _("days before")), ("after", _("days after"))]
GO_OR_END: Choices = [("next", _("Go on with the next step")), ("end", _("End here"))]
DATES: Choices = [
    ("renews_at", _("the renewal")),
    ("started_at", _("the start of the subscription")),
    ("created_at", _("the day the customer began")),
]
TRAIT = "trait:"


def dates() -> Choices:
    """Dates that an account has, those among the workspace's own traits included."""
    traits = TraitDefinition.objects.filter(kind=TraitDefinition.Kind.DATE).order_by("label")
    motions: Choices = [(date.name, date.label) for date in sequence_dates]
    return DATES + motions + [(f"{TRAIT}{key}", label) for key, label in traits.values_list("key", "label")]


def day_instant(text: str | None) -> datetime | None:
    """The first instant in UTC of a date trait's value, None where it is none."""
    try:
        return datetime.combine(date.fromisoformat((text or "")[:10]), time.min, tzinfo=UTC)
    except ValueError:
        return None


def _targets(name: str, label: object, default: str = "next") -> StepField:
    return StepField(name, label, "target", default=default)


CONTROLS: dict[str, ControlStep] = {
    step.name: step
    for step in (
        ControlStep(
            WAIT,
            _("Wait"),
            _("Let time pass before the next step."),
            "clock",
            (
                StepField("amount", _("How long"), "number", default=3),
                StepField("unit", _("Unit"), "choice", default="days", choices=lambda: UNITS),
            ),
        ),
        ControlStep(
            WAIT_DATE,
            _("Wait until a date"),
            _("Until so many days before or after a date of the account, such as its renewal."),
            "calendar",
            (
                StepField("amount", _("Days"), "number", default=30, lowest=0),
                StepField("side", _("Before or after"), "choice", default="before", choices=lambda: SIDES),
                StepField("date", _("Which date"), "choice", default="renews_at", choices=dates),
                StepField(
                    "missing",
                    _("If the account has no such date"),
                    "choice",
                    default="next",
                    choices=lambda: GO_OR_END,
                ),
            ),
        ),
        ControlStep(
            WAIT_RULE,
            _("Wait until a rule matches"),
            _("Until the account matches, but not longer than you say."),
            "filter",
            (
                StepField("tree", _("Until the account matches"), "tree"),
                StepField("amount", _("At most, in days"), "number", default=14),
                _targets("otherwise", _("If it does not match in time")),
            ),
        ),
        ControlStep(
            WAIT_ITEM,
            _("Wait until the CSM is done"),
            _("Until the last queue item of this playbook is resolved, but not longer than you say."),
            "user-check",
            (
                StepField("amount", _("At most, in days"), "number", default=7),
                _targets("otherwise", _("If it is not resolved in time")),
            ),
        ),
        ControlStep(
            BRANCH,
            _("Branch"),
            _("Go one way if the account matches a rule, another way if not."),
            "git-compare",
            (
                StepField("tree", _("If the account matches"), "tree"),
                _targets("yes", _("Then")),
                _targets("no", _("Otherwise"), "end"),
            ),
        ),
    )
}
