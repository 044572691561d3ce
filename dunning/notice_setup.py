"""What notices and the card page register: placeholders, mails, the step, jobs, the test of the middle notices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.mail_texts.about import About
from accounts.models import MailClass, Motion, TextPurpose
from accounts.registry import (
    JobKind,
    MailKind,
    NotificationKind,
    Placeholder,
    TokenPurpose,
    WebhookEvent,
    WorkspaceDefault,
    job_kinds,
    mail_kinds,
    notification_kinds,
    placeholders,
    token_purposes,
    webhook_events,
    workspace_defaults,
)
from accounts.services import mail_texts
from dunning.queries.notice_effect import SUBJECT
from dunning.registry import CaseListener, case_listeners
from dunning.services import (
    advance_notices,
    card_setup,
    notice_mails,
    notice_messages,
    notice_sequence,
    notices,
    pay_links,
    questions,
)
from health.models import SequenceKind
from health.registry import (
    ExperimentSubject,
    QueueSource,
    RunLock,
    SequenceDate,
    SubjectWords,
    experiment_subjects,
    queue_sources,
    run_locks,
    sequence_actions,
    sequence_dates,
)
from health.sequences.spec import SequenceAction, StepField
from health.signals import night_finished

PURPOSES = (TextPurpose.DUNNING.value,)


def register() -> None:
    _placeholders()
    _mails()
    _steps()
    _work()
    _telling()


def _placeholders() -> None:
    def known(name: str, label: Any, sample: Any, fallback: Any = "") -> None:
        placeholders.register(
            Placeholder(name, label, fallback=fallback, sample=sample, is_certain=True, purposes=PURPOSES)
        )

    known("payment.amount", _("What is owed"), "$49.00")
    known("payment.invoice", _("Numbers of the invoices"), "INV-0042")
    known("payment.what", _("What it is for"), "Growth")
    known(
        "payment.reason",
        _("Why it did not go through, in neutral words"),
        _("Your bank did not accept this payment method. Please use another one."),
    )
    known("payment.end_date", _("Day on which collection ends"), _("March 14"))
    known(
        "payment.end_result",
        _("What happens on that day"),
        _("The invoice stays open then, and your access may be limited."),
    )
    known("payment.date", _("Day of the payment"), _("March 2"))
    known("payment.price_before", _("Price before the change"), "$39.00")
    known("payment.expiry", _("Month in which the card expires"), _("March 2027"))
    placeholders.register(
        Placeholder(
            "payment.card", _("Name of the payment method"), sample="Visa •••• 4242", purposes=PURPOSES
        )
    )
    placeholders.register(
        Placeholder("pay.link", _("The person's card page"), _pay_link, is_link=True, purposes=PURPOSES)
    )


def _pay_link(about: About) -> str | None:
    if about.email is None:
        return None
    return pay_links.pay_url(account=about.contact.account, contact=about.contact, now=about.email.created_at)


def _mails() -> None:
    token_purposes.register(TokenPurpose(pay_links.PURPOSE, pay_links.LIFETIME))
    mail_kinds.register(
        MailKind(
            notice_mails.NOTICE_KIND,
            MailClass.TRANSACTIONAL,
            still_wanted=notice_mails.still_wanted,
            motion=Motion.DUNNING,
            on_settled=notice_mails.on_settled,
        )
    )
    mail_kinds.register(
        MailKind(
            notice_mails.RECEIPT_KIND,
            MailClass.TRANSACTIONAL,
            motion=Motion.DUNNING,
            on_settled=mail_texts.on_settled,
        )
    )
    mail_kinds.register(
        MailKind(
            advance_notices.ADVANCE_KIND,
            MailClass.TRANSACTIONAL,
            still_wanted=advance_notices.still_wanted,
            motion=Motion.DUNNING,
            on_settled=mail_texts.on_settled,
        )
    )
    webhook_events.register(
        WebhookEvent(notice_messages.EVENT, _("A notice of a failed payment is due"), notice_messages.FIELDS)
    )


def _steps() -> None:
    run_locks.register(RunLock(SequenceKind.NOTICE.value, notices.lock_cases))
    sequence_dates.register(
        SequenceDate(
            notice_sequence.ENDS_AT, _("the end of collecting a failed payment"), notice_sequence.ends_of
        )
    )
    sequence_actions.register(
        SequenceAction(
            notice_sequence.ACTION,
            _("Notice of a failed payment"),
            _("Tell who pays for the account, and other systems by webhook."),
            "credit-card",
            (
                StepField("text", _("Text"), "choice", choices=notice_sequence.text_choices),
                StepField(
                    "position",
                    _("Which notice"),
                    "choice",
                    default=notice_sequence.POSITION_MIDDLE,
                    choices=lambda: notice_sequence.POSITIONS,
                ),
            ),
            run=notice_sequence.send,
            describe=notice_sequence.words,
            preview=notice_sequence.preview,
            only_in=SequenceKind.NOTICE,
        )
    )
    experiment_subjects.register(
        ExperimentSubject(
            SUBJECT, _("Notices of failed payments"), describe=_describe, duties=lambda subject_id: ()
        )
    )


def _describe(subject_id: int) -> SubjectWords:
    return SubjectWords(gettext("Middle notices of failed payments"), reverse("dunning:policy"))


def _work() -> None:
    card_setup.register()
    job_kinds.register(JobKind(advance_notices.ADVANCE_JOB, advance_notices.run, lease=timedelta(minutes=10)))
    night_finished.connect(advance_notices.ADVANCE_JOB)
    job_kinds.register(JobKind(card_setup.WATCH_JOB, card_setup.watch, in_scope=False, max_attempts=30))
    job_kinds.register(
        JobKind(notices.FOLLOW_JOB, notices.follow_job, in_scope=False, max_attempts=20, is_prepared=True)
    )
    case_listeners.register(
        CaseListener(
            "notices",
            on_notices_due=notices.begin,
            on_paused=notices.on_paused,
            on_resumed=notices.on_resumed,
            on_closed=notices.on_closed,
        )
    )
    workspace_defaults.register(WorkspaceDefault("dunning.notices", create_defaults))


def create_defaults() -> None:
    notice_sequence.the_sequence()


def _telling() -> None:
    queue_sources.register(
        QueueSource(
            questions.QUEUE_SOURCE,
            _("Question about a bill"),
            sentence=lambda evidence: gettext("A person asks about a bill"),
            instruction=lambda evidence: gettext(
                "Read the question on the page of the failed payment, answer it, correct the invoice if need be."
            ),
        )
    )
    notification_kinds.register(
        NotificationKind(
            questions.NOTIFICATION,
            _("Questions about bills"),
            _("A customer's person asked about a bill on the card page."),
            words=_question_words,
            address=lambda context, account: (
                reverse("dunning:case", args=[context["case"]])
                if context.get("case")
                else reverse("health:queue")
            ),
            icon="message-square",
            permission="dunning.view",
            order=25,
        )
    )


def _question_words(context: dict[str, Any], account: Any) -> tuple[str, str]:
    name = account.name if account else ""
    return gettext("Question about a bill: %(name)s") % {"name": name}, gettext("Asked on the card page")
