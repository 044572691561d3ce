"""The mail step: a text to a person of the account, through the outbox, the arbiter and the suppressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from accounts.mail_texts.about import About
from accounts.mail_texts.placeholders import fill_line, names_in, values_of
from accounts.models import Contact, MailText, MailTextVersion, Motion, OutboundEmail, Workspace
from accounts.services.mail_texts import language_for, queue_text_mail
from accounts.services.mail_texts import on_settled as note_on_timeline
from accounts.services.versions import newest_published
from cs_platform.lib.scoping import current_workspace_id
from health.models import RunState, StepRun
from health.queries.sequence_people import people_of, pick
from health.sequences.spec import PreviewContext, StepContext, StepPreview, StepResult

MAIL_KIND = "health.sequence"
SOURCE = "health.step_run"
TEXT_PURPOSES = ("playbook", "personal", "onboarding", "dunning")
ANYONE, SKIP, END = "anyone", "skip", "end"


def send_text(context: StepContext) -> StepResult:
    """Write the mail's row in this transaction; it leaves by its own job, once."""
    run, values = context.run, context.values
    text = MailText.objects.filter(public_id=values["text"], archived_at__isnull=True).first()
    if text is None or newest_published(MailTextVersion, text) is None:
        return _nobody(values, "no_text")
    contact = run.contact or _person(run.account_id, values)
    if contact is None or not contact.email:
        return _nobody(values, "nobody")
    email = queue_text_mail(
        text=text,
        contact=contact,
        acting_user=None,
        now=context.now,
        kind=MAIL_KIND,
        source_type=SOURCE,
        source_id=context.step_run_id,
        motion=Motion.PLAYBOOK,
    )
    return StepResult({"contact": str(contact.public_id), "text": str(text.public_id)}, email_id=email.pk)


def _person(account_id: int, values: Mapping[str, Any]) -> Contact | None:
    people = people_of([account_id]).get(account_id, ())
    return pick(people, values["to"], anyone_else=values["otherwise"] == ANYONE)


def _nobody(values: Mapping[str, Any], why: str) -> StepResult:
    return StepResult({"why": why}, is_skipped=True, ends_run=values["otherwise"] == END)


def still_wanted(email: OutboundEmail) -> bool:
    """A mail that had to wait does not go out after its run was ended early."""
    step = StepRun.objects.filter(pk=email.source_id).select_related("run").first()
    return step is not None and step.run.state != RunState.EXITED


def on_settled(email: OutboundEmail) -> None:
    note_on_timeline(email)


def send_text_words(values: Mapping[str, Any]) -> str:
    names = dict(text_choices())
    text = names.get(str(values.get("text", "")), gettext("a text that is not here any more"))
    return gettext("Mail “%(text)s”") % {"text": text}


def send_text_preview(context: PreviewContext) -> StepPreview:
    """Whom the mail would go to today, and its subject with that person's values in it."""
    values = context.values
    words, version = context.once(f"text:{values['text']}", lambda: _text_of(values))
    contact = context.contact or pick(
        context.contacts, values["to"], anyone_else=values["otherwise"] == ANYONE
    )
    ends = values["otherwise"] == END
    if version is None:
        return StepPreview(words, problem=gettext("The text is not published."), ends_run=ends)
    if contact is None:
        return StepPreview(words, problem=gettext("Nobody there to write to."), ends_run=ends)
    return StepPreview(
        words, person=str(contact), address=contact.email, subject=_subject(version, contact, context)
    )


def _text_of(values: Mapping[str, Any]) -> tuple[str, MailTextVersion | None]:
    text = MailText.objects.filter(public_id=values["text"], archived_at__isnull=True).first()
    return send_text_words(values), newest_published(MailTextVersion, text) if text else None


def _subject(version: MailTextVersion, contact: Contact, context: PreviewContext) -> str:
    workspace = context.once("workspace", lambda: Workspace.objects.get(pk=current_workspace_id()))
    language = _language(version, contact, workspace)
    written = version.definition.get(language, {}).get("subject", "")
    about = About(contact, workspace, language, context.now)
    with translation.override(language):
        return fill_line(written, values_of(names_in(written), about))


def _language(version: MailTextVersion, contact: Contact, workspace: Workspace) -> str:
    contact.workspace = workspace  # known: saves a query a person
    return language_for(version.definition, contact)


def text_choices() -> list[tuple[str, Any]]:
    """Texts for playbooks first, those that a CSM writes from after them."""
    rows = MailText.objects.filter(archived_at__isnull=True, purpose__in=TEXT_PURPOSES)
    return [
        (str(pk), name) for pk, name in rows.order_by("-purpose", "name").values_list("public_id", "name")
    ]


__all__ = ["MAIL_KIND", "send_text", "send_text_preview", "send_text_words", "still_wanted"]
