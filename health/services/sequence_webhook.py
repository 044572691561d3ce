"""The step that tells other systems: a message in the outbox of webhooks, delivered by its own job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from accounts.services.webhooks import emit
from health.sequences.spec import PreviewContext, StepContext, StepPreview, StepResult

EVENT = "playbook.step"
FIELDS = {
    "account": "public id of the account",
    "external_id": "the account's id in your own records",
    "playbook": "name of the playbook",
    "run": "public id of the run",
    "message": "the name that the step gives the message",
}


def tell(context: StepContext) -> StepResult:
    """One message per step and visit, written in this transaction; nobody listening is no mistake."""
    run = context.run
    told = emit(
        EVENT,
        {
            "account": str(run.account.public_id),
            "external_id": run.account.external_id,
            "playbook": run.sequence.name,
            "run": str(run.public_id),
            "message": context.values["message"],
        },
        cause_key=f"step:{context.step_run_id}",
        now=context.now,
    )
    return StepResult({"endpoints": told} if told else {"why": "nobody_listens"}, is_skipped=not told)


def tell_words(values: Mapping[str, Any]) -> str:
    return gettext("Tell other systems: %(message)s") % {"message": values.get("message", "")}


def tell_preview(context: PreviewContext) -> StepPreview:
    return StepPreview(tell_words(context.values))
