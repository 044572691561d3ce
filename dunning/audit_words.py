"""The audit log in words: what each action of this app did, and what each kind of row is called."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import AuditWord, audit_actions, audit_objects

ACTIONS = {
    "dunning.collecting.started": _("Collecting of failed payments started"),
    "dunning.collecting.stopped": _("Collecting of failed payments stopped"),
    "dunning.dunningpolicy.draft_discarded": _("Draft of the dunning policy discarded"),
    "dunning.dunningpolicy.published": _("Dunning policy published"),
    "dunning.dunningpolicy.rolled_back": _("Dunning policy rolled back"),
    "dunning.case.retried": _("Failed payment tried again"),
    "dunning.case.tried_again": _("What the payment provider refused tried again"),
    "dunning.case.stopped": _("Collection of a payment stopped"),
    "dunning.case.resumed": _("Collection of a payment resumed"),
    "dunning.case.handed_over": _("Failed payment handed over"),
    "dunning.case.taken_back": _("Failed payment taken back"),
    "dunning.question.answered": _("Question about a bill answered"),
    "dunning.case.marked_paid": _("Invoice marked as paid"),
    "dunning.case.closed": _("Collection of a payment given up"),
}
OBJECTS = {
    "dunning.dunningpolicy": _("Dunning policy"),
    "dunning.dunningpolicyversion": _("Version of the dunning policy"),
    "dunning.dunningcase": _("Failed payment"),
    "dunning.billquestion": _("Question about a bill"),
}


def register() -> None:
    for name, label in ACTIONS.items():
        audit_actions.register(AuditWord(name, label))
    for name, label in OBJECTS.items():
        audit_objects.register(AuditWord(name, label))
