"""The kinds of steps of a playbook beside waiting and branching: what each asks for, does and says."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from health.models import Severity
from health.queries.sequence_people import ROLES
from health.sequences.spec import SequenceAction, StepField
from health.services import sequence_actions as acts
from health.services import sequence_mail, sequence_webhook

OTHERWISE = [
    (sequence_mail.ANYONE, _("Write to whoever is known best")),
    (sequence_mail.SKIP, _("Leave the mail out")),
    (sequence_mail.END, _("End here")),
]

MAIL = SequenceAction(
    "mail",
    _("Mail"),
    _("Send a mail text to a person of the account."),
    "mail",
    (
        StepField("text", _("Text"), "choice", choices=sequence_mail.text_choices),
        StepField("to", _("To"), "choice", default="champion", choices=lambda: ROLES),
        StepField(
            "otherwise",
            _("If nobody has that role"),
            "choice",
            default=sequence_mail.ANYONE,
            choices=lambda: OTHERWISE,
        ),
    ),
    run=sequence_mail.send_text,
    describe=sequence_mail.send_text_words,
    preview=sequence_mail.send_text_preview,
)
QUEUE_ITEM = SequenceAction(
    "queue_item",
    _("Ask the CSM"),
    _("Put something to do into the queue, with your own words."),
    "list-checks",
    (
        StepField("title", _("What to do"), longest=120),
        StepField("instruction", _("How"), "long_text", is_required=False, longest=2000),
        StepField(
            "severity",
            _("Severity"),
            "choice",
            default="2",
            choices=lambda: [(str(value), label) for value, label in Severity.choices],
        ),
    ),
    run=acts.ask_csm,
    describe=acts.ask_csm_words,
    preview=acts.ask_csm_preview,
)
SET_TRAIT = SequenceAction(
    "set_trait",
    _("Change a trait"),
    _("Write a value onto the account, for segments and reports."),
    "tag",
    (
        StepField("trait", _("Trait"), longest=100, help=_("A new name makes a new trait.")),
        StepField("value", _("Value"), longest=200),
    ),
    run=acts.change_trait,
    describe=acts.change_trait_words,
    preview=acts.change_trait_preview,
)
ASSIGN = SequenceAction(
    "assign",
    _("Assign"),
    _("Give the account to a CSM."),
    "user-plus",
    (
        StepField("csm", _("To"), "choice", default=acts.FEWEST, choices=acts.csm_choices),
        StepField(
            "only_empty",
            _("Only if nobody is responsible yet"),
            "checkbox",
            default=True,
            is_required=False,
        ),
    ),
    run=acts.assign,
    describe=acts.assign_words,
    preview=acts.assign_preview,
)
WEBHOOK = SequenceAction(
    "webhook",
    _("Tell other systems"),
    _("Send a signed message to the workspace's webhooks."),
    "webhook",
    (StepField("message", _("Name of the message"), longest=80),),
    run=sequence_webhook.tell,
    describe=sequence_webhook.tell_words,
    preview=sequence_webhook.tell_preview,
)
ACTIONS = (MAIL, QUEUE_ITEM, SET_TRAIT, ASSIGN, WEBHOOK)
