"""What this app tells members about."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.registry import JobKind, NotificationKind, job_kinds, notification_kinds
from accounts.reports.words import share_of
from dunning.services.failure_alarm import ALARM_JOB, ALARM_KIND, run_alarm
from health.signals import night_finished


def register() -> None:
    notification_kinds.register(
        NotificationKind(
            ALARM_KIND,
            _("More payments fail than usual"),
            _("The share of first attempts that failed in a week was higher than chance explains."),
            words=_words,
            address=lambda context, account: reverse("accounts:reports") + "?tab=recovery#failure_rate",
            icon="triangle-alert",
            permission="dunning.view",
            order=30,
        )
    )
    job_kinds.register(JobKind(ALARM_JOB, run_alarm))
    night_finished.connect(ALARM_JOB)


def _words(context: dict[str, Any], account: Any) -> tuple[str, str]:
    return gettext("More payments fail than usual"), gettext(
        "Week from %(week)s: %(now)s of the first attempts failed, against %(usual)s before."
    ) % {
        "week": context["week"],
        "now": share_of(context["failed"], context["tries"]),
        "usual": share_of(context["usual_failed"], context["usual_tries"]),
    }
