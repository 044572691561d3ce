"""Sequences in words: what begins one, what a step does, how a run stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Segment
from accounts.queries.segments import describe
from accounts.segments import TreeError, parse_tree
from health.risks import risk_rules
from health.sequences import controls
from health.sequences.definition import END, TO_STEP, SequenceDefinition, Step
from health.sequences.parsing import kind_of

END_REASONS = {
    "completed": _("Finished"),
    "risk_closed": _("The risk is closed"),
    "churned": _("The account left"),
    "segment_left": _("The account left the segment"),
    "contact_answered": _("Somebody was reached"),
    "let_go": _("The team lets the account go"),
    "by_hand": _("Ended by hand"),
    "archived": _("The playbook was put away"),
    "too_many_rounds": _("It went round too often"),
    "worker_stopped": _("Its work was given up after several tries"),
}
WHY = {
    "nobody": _("nobody to write to"),
    "no_text": _("the text is not published"),
    "has_csm": _("it has a CSM already"),
    "no_csm": _("there is no CSM"),
    "same_csm": _("it was theirs already"),
    "no_date": _("the account has no such date"),
    "nobody_listens": _("no endpoint listens"),
}
EXIT_LABELS = {
    "risk_closed": _("The risk that began it is closed"),
    "churned": _("The account's last subscription ends"),
    "segment_left": _("The account leaves the segment that began it"),
    "contact_answered": _("Somebody notes a call, a meeting or a visit"),
}


@dataclass(frozen=True, slots=True)
class StepWords:
    """One step for people: `ways` only where it does not just go on to the next."""

    number: int
    label: str
    icon: str
    words: str
    ways: tuple[str, ...] = ()


def steps_in_words(definition: SequenceDefinition) -> list[StepWords]:
    return [step_in_words(definition, at) for at in range(len(definition.steps))]


def step_in_words(definition: SequenceDefinition, at: int) -> StepWords:
    step = definition.steps[at]
    kind = kind_of(step.kind)
    if kind is None:
        return StepWords(at + 1, step.kind, "circle-question-mark", gettext("This kind of step is gone."))
    words = what(step).removeprefix(f"{kind.label}: ")  # the label stands beside it
    return StepWords(at + 1, str(kind.label), kind.icon, words, _ways(definition, step))


def what(step: Step) -> str:
    """What a step does, in one sentence."""
    values = step.values
    if step.kind == controls.WAIT:
        return wait_words(values)
    if step.kind == controls.WAIT_DATE:
        names = {"n": values["amount"], "date": dict(controls.dates()).get(values["date"], values["date"])}
        if values["side"] == "before":
            words = ngettext("%(n)d day before %(date)s", "%(n)d days before %(date)s", values["amount"])
        else:
            words = ngettext("%(n)d day after %(date)s", "%(n)d days after %(date)s", values["amount"])
        return words % names
    if step.kind == controls.WAIT_RULE:
        return gettext("Until: %(rule)s (at most %(n)d days)") % {
            "rule": tree_words(values["tree"]),
            "n": values["amount"],
        }
    if step.kind == controls.WAIT_ITEM:
        return gettext("Until the CSM has resolved it (at most %(n)d days)") % {"n": values["amount"]}
    if step.kind == controls.BRANCH:
        return gettext("If: %(rule)s") % {"rule": tree_words(values["tree"])}
    kind = kind_of(step.kind)
    return kind.describe(values) if kind and hasattr(kind, "describe") else ""


def wait_words(values: Mapping[str, Any]) -> str:
    amount = values["amount"]
    words = {
        "days": ngettext("%(n)d day", "%(n)d days", amount),
        "working_days": ngettext("%(n)d working day", "%(n)d working days", amount),
        "hours": ngettext("%(n)d hour", "%(n)d hours", amount),
    }
    return words[values["unit"]] % {"n": amount}


def tree_words(tree: Any) -> str:
    try:
        return describe(parse_tree(tree))
    except TreeError:
        return gettext("a rule that asks for something that is gone")


def _ways(definition: SequenceDefinition, step: Step) -> tuple[str, ...]:
    kind = kind_of(step.kind)
    found = []
    for field in kind.fields if kind else ():
        if field.type == "target":
            found.append(f"{field.label}: {target_words(definition, str(step.values[field.name]))}")
    return tuple(found)


def target_words(definition: SequenceDefinition, target: str) -> str:
    if target == END:
        return gettext("end here")
    if target.startswith(TO_STEP):
        place = definition.place_of(target.removeprefix(TO_STEP))
        return gettext("go to step %(n)d") % {"n": (place or 0) + 1}
    return gettext("go on with the next step")


def trigger_words(definition: SequenceDefinition, segments: Mapping[str, str] | None = None) -> str:
    """What begins it; `segments` are names by public id, asked for where they are not given."""
    trigger = definition.trigger
    if trigger.on == "risk":
        labels = [str(risk_rules.get(cause).label) for cause in trigger.causes if cause in risk_rules]
        return gettext("Risk: %(causes)s") % {"causes": ", ".join(labels)}
    if trigger.on == "segment":
        if segments is None:
            segments = segment_names()
        name = segments.get(trigger.segment, gettext("a segment that is gone"))
        return gettext("Enters the segment: %(name)s") % {"name": name}
    return gettext("Begun by hand")


def segment_names() -> dict[str, str]:
    return {str(pk): name for pk, name in Segment.objects.values_list("public_id", "name")}


def end_words(reason: str) -> str:
    return str(END_REASONS.get(reason, reason))
