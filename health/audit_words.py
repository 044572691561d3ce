"""The audit log in words: what each action of this app did, and what each kind of row is called."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import AuditWord, audit_actions, audit_objects

ACTIONS = {
    "health.alias.added": _("Unknown key mapped to an account"),
    "health.assignment_policy.saved": _("Rule of assignment changed"),
    "health.assignment_rule.deleted": _("Assignment rule deleted"),
    "health.assignment_rule.moved": _("Assignment rule moved"),
    "health.assignment_rule.saved": _("Assignment rule saved"),
    "health.demo.completed": _("Demo data completed"),
    "health.experiment.started": _("Experiment started"),
    "health.experiment.stopped": _("Experiment stopped"),
    "health.key_features.changed": _("Key features changed"),
    "health.model_version.retired": _("Churn model retired"),
    "health.model_version.trained": _("Churn model trained"),
    "health.model_version.went_live": _("Churn model went live"),
    "health.night.started": _("Nightly run started"),
    "health.queue.assigned": _("Accounts assigned"),
    "health.queue.resolved": _("Accounts resolved in the queue"),
    "health.queue.snoozed": _("Accounts snoozed in the queue"),
    "health.queue.undone": _("Act in the queue undone"),
    "health.risk_rule.changed": _("Risk rule changed"),
    "health.scorecard.added": _("Scorecard made"),
    "health.scorecard.draft_discarded": _("Draft of a scorecard thrown away"),
    "health.scorecard.published": _("Scorecard published"),
    "health.scorecard.rolled_back": _("Scorecard rolled back"),
    "health.scorecards.arranged": _("Order of the scorecards changed"),
    "health.sequence.archived": _("Playbook archived"),
    "health.sequence.capped": _("Playbook stopped at its daily cap"),
    "health.sequence.created": _("Playbook made"),
    "health.sequence.draft_discarded": _("Draft of a playbook thrown away"),
    "health.sequence.enrolled": _("Playbook enrolled accounts"),
    "health.sequence.paused": _("Playbook paused"),
    "health.sequence.published": _("Playbook published"),
    "health.sequence.released": _("Playbook released"),
    "health.sequence.renamed": _("Playbook renamed"),
    "health.sequence.rolled_back": _("Playbook rolled back"),
    "health.sequence.run_begun": _("Playbook begun for an account"),
    "health.sequence.run_exited": _("Playbook ended for an account"),
    "health.sequence.run_paused": _("Playbook paused for an account"),
    "health.sequence.run_resumed": _("Playbook resumed for an account"),
    "health.simulation.extended": _("Simulated data extended"),
    "health.simulation.part_written": _("Part of the simulated data written"),
}
OBJECTS = {
    "health.actionreceipt": _("Act in the queue"),
    "health.assignmentpolicy": _("Rule of assignment"),
    "health.assignmentrule": _("Assignment rule"),
    "health.experiment": _("Experiment"),
    "health.modelversion": _("Version of the churn model"),
    "health.nightrun": _("Nightly run"),
    "health.riskrule": _("Risk rule"),
    "health.scorecard": _("Scorecard"),
    "health.scorecardversion": _("Version of a scorecard"),
    "health.sequence": _("Playbook"),
    "health.sequencerun": _("Run of a playbook"),
    "health.sequenceversion": _("Version of a playbook"),
    "health.useralias": _("Mapped key"),
}


def register() -> None:
    for name, label in ACTIONS.items():
        audit_actions.register(AuditWord(name, label))
    for name, label in OBJECTS.items():
        audit_objects.register(AuditWord(name, label))
