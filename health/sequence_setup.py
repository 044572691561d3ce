"""What sequences register at start: jobs, mails, what experiments and the queue call them; steps: `sequence_steps`."""

from __future__ import annotations

from datetime import timedelta
from textwrap import shorten
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Activity, MailClass, Motion, TouchKind
from accounts.registry import (
    JobKind,
    MailKind,
    NotificationKind,
    TimelineSource,
    WebhookEvent,
    job_kinds,
    mail_kinds,
    notification_kinds,
    timeline_sources,
    webhook_events,
)
from health.models import Sequence
from health.queries.playbook_timeline import playbook_entries
from health.queries.sequence_candidates import SUBJECT
from health.registry import (
    AnswerSource,
    ExperimentSubject,
    QueueSource,
    SubjectWords,
    answer_sources,
    experiment_subjects,
    queue_sources,
    sequence_actions,
)
from health.sequence_steps import ACTIONS
from health.services import (
    sequence_asks,
    sequence_engine,
    sequence_mail,
    sequence_plans,
    sequence_runs,
    sequence_webhook,
)
from health.services.sequence_night import enrol_by_job
from health.services.sequence_notices import PAUSED_KIND

CHIP_LETTERS, ELLIPSIS = 40, " …"
ANSWERS = (TouchKind.CALL, TouchKind.MEETING, TouchKind.VISIT)


def register() -> None:
    _work()
    _in_the_queue()
    _telling()
    for action in ACTIONS:
        sequence_actions.register(action)


def _work() -> None:
    job_kinds.register(
        JobKind(
            sequence_runs.RUN_JOB,
            sequence_engine.run_by_job,
            in_scope=False,
            max_attempts=2 * sequence_engine.MAX_ATTEMPTS,
            is_prepared=True,
        )
    )
    job_kinds.register(JobKind(sequence_plans.ENROL_JOB, _enrol, lease=timedelta(minutes=5)))
    mail_kinds.register(
        MailKind(
            sequence_mail.MAIL_KIND,
            MailClass.OTHER,
            still_wanted=sequence_mail.still_wanted,
            motion=Motion.PLAYBOOK,
            on_settled=sequence_mail.on_settled,
        )
    )


def _in_the_queue() -> None:
    experiment_subjects.register(
        ExperimentSubject(SUBJECT, _("Playbook"), describe=_describe, duties=lambda subject_id: ())
    )
    queue_sources.register(
        QueueSource(
            sequence_asks.SOURCE,
            _("Playbook"),
            sentence=lambda evidence: str(evidence.get("title", "")),
            instruction=lambda evidence: str(evidence.get("instruction", "")),
            labels=_names,
            chip=_few_words,
        )
    )
    answer_sources.register(AnswerSource("touches", _touched))
    timeline_sources.register(TimelineSource("playbooks", playbook_entries))


def _few_words(evidence: Any) -> str:
    """The title in a list; a longer one ends after a whole word."""
    words = shorten(str(evidence.get("title", "")), CHIP_LETTERS, placeholder=ELLIPSIS)
    return "" if words == ELLIPSIS.strip() else words


def _telling() -> None:
    notification_kinds.register(
        NotificationKind(
            PAUSED_KIND,
            _("Playbooks paused"),
            _("More accounts than expected stood at the door of a playbook on one day."),
            words=_paused_words,
            address=lambda context, account: reverse("health:playbook", args=[context["sequence"]]),
            icon="pause",
            permission="health.configure",
            order=40,
        )
    )
    webhook_events.register(
        WebhookEvent(
            sequence_webhook.EVENT,
            _("A playbook reached a step that tells other systems"),
            sequence_webhook.FIELDS,
        )
    )


def _enrol(sequence_id: int) -> None:
    enrol_by_job(sequence_id, now=timezone.now())


def _describe(subject_id: int) -> SubjectWords:
    found = Sequence.objects.filter(pk=subject_id).first()
    if found is None:
        return SubjectWords(gettext("A playbook that is gone"))
    return SubjectWords(found.name, reverse("health:playbook", args=[found.public_id]))


def _paused_words(context: dict[str, Any], account: Any) -> tuple[str, str]:
    waiting = context["waiting"]
    detail = ngettext("%(n)d account waits", "%(n)d accounts wait", waiting) % {"n": waiting}
    return gettext("Paused by its daily cap: %(name)s") % {"name": context["name"]}, detail


def _names(sources: list[str]) -> dict[str, str]:
    """The playbook's name for each source "sequence:<id>:<step>"; one query."""
    ids = {source: source.split(":")[1] for source in sources}
    names = dict(
        Sequence.objects.filter(pk__in=[i for i in ids.values() if i.isdecimal()]).values_list("pk", "name")
    )
    return {source: names.get(int(i), "") if i.isdecimal() else "" for source, i in ids.items()}


def _touched(asked: dict[int, tuple[int, Any]]) -> set[int]:
    """A call, a meeting or a visit that somebody wrote down: the people there were heard from."""
    accounts = {account_id for account_id, _since in asked.values()}
    rows = Activity.objects.filter(account_id__in=accounts, kind__in=ANSWERS, is_touch=True)
    latest: dict[int, Any] = {}
    for account_id, moment in rows.values_list("account_id", "occurred_at"):
        latest[account_id] = max(moment, latest.get(account_id, moment))
    return {
        key
        for key, (account_id, since) in asked.items()
        if account_id in latest and latest[account_id] > since
    }
