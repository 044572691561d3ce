"""A step whose effect shows every time it happens: one activity each."""

from __future__ import annotations

from health.registry import sequence_actions
from health.sequences.spec import PreviewContext, SequenceAction, StepContext, StepPreview, StepResult

NAME = "workbench_note"
KIND = "workbench"


def _run(context: StepContext) -> StepResult:
    from accounts.models import Activity

    row = Activity.objects.create(
        account_id=context.run.account_id,
        kind=KIND,
        title=context.step_id,
        occurred_at=context.now,
    )
    return StepResult({"activity": row.pk})


def _preview(context: PreviewContext) -> StepPreview:
    return StepPreview("note")


def register() -> None:
    sequence_actions.register(
        SequenceAction(NAME, "Note", "A note", "sticky-note", (), _run, lambda values: "note", _preview)
    )
