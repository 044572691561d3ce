"""The settings of a policy by name: label, unit and what a choice means. The editor and the list of changes say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dunning.policy.definition import END_STATE_WORDS, REMINDER_WORDS, RETRIED_BY_WORDS

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `kind` number, list, choice, switch, money or days (pay days)."""

    name: str
    label: Words
    unit: Words = ""
    help: Words = ""
    kind: str = "number"
    choices: Mapping[Any, Promise] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Words
    settings: tuple[Setting, ...]
    intro: Words = ""


DAYS, HOURS = _("days"), _("hours")
RETRIES = Section(
    "retries",
    _("Retries"),
    (
        Setting("retried_by", _("Who retries"), kind="choice", choices=RETRIED_BY_WORDS),
        Setting("attempts", _("Tries at most"), help=_("All tries of one invoice count, the first one too.")),
        Setting("window_days", _("Counted over"), DAYS),
        Setting(
            "hour_from",
            _("Retry from"),
            _("o'clock"),
            _("Local time of the customer's country where it has one; else of the workspace."),
        ),
        Setting("hour_until", _("Retry until"), _("o'clock")),
        Setting(
            "technical_wait_hours",
            _("After technical errors"),
            HOURS,
            _("Waits of one retry after another, for example 4, 12, 24."),
            kind="list",
        ),
    ),
    _(
        "One retry a day at most, 20 hours apart. The card networks' limits hold whatever stands here:"
        " 15 tries of an invoice in 30 days, none after a refusal for good."
    ),
)
NOTICES = Section(
    "notices",
    _("Notices"),
    (
        Setting("silent_retries", _("Silent retries before the first notice")),
        Setting("silent_days", _("First notice after at most"), DAYS),
        Setting(
            "holdout_percent",
            _("Held out from the middle notices"),
            "%",
            _("Shows what the notices bring. Everybody gets the first and the last one."),
        ),
    ),
    _("Where only the customer can help, the first notice goes at once."),
)
END = Section(
    "end",
    _("The end"),
    (
        Setting("duration_days", _("A case lasts"), DAYS),
        Setting("end_state", _("When the time is over"), kind="choice", choices=END_STATE_WORDS),
        Setting("marks_uncollectible", _("Mark the invoice as uncollectible too"), kind="switch"),
    ),
)
BEFORE = Section(
    "before",
    _("Before a payment"),
    (
        Setting("reminder_scope", _("Reminder before a payment"), kind="choice", choices=REMINDER_WORDS),
        Setting("reminder_days", _("Monthly and quarterly"), _("days before")),
        Setting(
            "annual_reminder_days",
            _("Annual"),
            _("days before"),
            _("Some laws ask for a reminder 15 to 45 days before an annual renewal."),
        ),
        Setting(
            "card_expiry_days",
            _("Card about to expire"),
            _("days before"),
            _("For example 30, 14, 7; empty sends none. None goes to a card that its bank has replaced."),
            kind="list",
        ),
        Setting("price_change_days", _("Change of price"), _("days before")),
        Setting("discount_end_days", _("End of a discount"), _("days before")),
    ),
)
HANDOVER = Section(
    "handover",
    _("Handing over"),
    (
        Setting(
            "handoff_arr_minor",
            _("ARR from which the CSM gets it"),
            kind="money",
            help=_("Empty: only by hand. 0: every case."),
        ),
        Setting("handoff_days", _("Once unpaid for"), DAYS),
    ),
)
SECTIONS = (RETRIES, NOTICES, END, BEFORE, HANDOVER)
SETTINGS: dict[str, Setting] = {setting.name: setting for section in SECTIONS for setting in section.settings}
PAY_DAYS = _("Pay days")
EVERYWHERE_LABEL = _("Everywhere else")
LAST_LABEL = _("last")
