"""The sequence of notices: how every workspace begins with it, and what its step "notice" does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from accounts.models import MailText, Workspace
from accounts.ready_texts import create_ready_texts
from accounts.services import versions
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.transitions import IllegalStep
from dunning.models import DunningCase
from dunning.notice_texts import FIRST, LAST, READY, SECOND, THIRD
from dunning.policy.definition import LAST_NOTICE_DAYS
from dunning.queries import owed
from dunning.services.case_steps import open_book
from dunning.services.handing_over import hand_to_csm
from dunning.services.notice_holdout import note_middle_notice
from dunning.services.notice_mails import payer, queue_notice, text_in_force
from dunning.services.notice_messages import tell_other_systems
from health.models import Sequence, SequenceKind, SequenceVersion
from health.queries.sequence_words import StepWords, steps_in_words
from health.sequences.controls import WAIT, WAIT_DATE
from health.sequences.definition import SequenceDefinition
from health.sequences.parsing import parse_sequence
from health.sequences.spec import PreviewContext, StepContext, StepPreview, StepResult

ACTION, ENDS_AT = "dunning_notice", "dunning.ends_at"
KEY = "dunning-notices"
POSITION_FIRST, POSITION_MIDDLE, POSITION_LAST = "first", "middle", "last"
POSITIONS = [
    (POSITION_FIRST, _("First: everybody gets it")),
    (POSITION_MIDDLE, _("Middle: left out for those held out")),
    (POSITION_LAST, _("Last: everybody gets it, with the date of the end")),
]
LAST_DAYS = LAST_NOTICE_DAYS


@dataclass(frozen=True)
class NoticesInWords:
    """What is said when, for the policy's page."""

    sequence: Sequence
    steps: list[StepWords]
    definition: SequenceDefinition


def the_sequence() -> Sequence:
    """The workspace's notices; the first one to ask puts the ready ones in force."""
    found = Sequence.objects.filter(library_key=KEY).order_by("-pk").first()
    return found or _create()


def _create() -> Sequence:
    create_ready_texts(READY)
    workspace = Workspace.objects.get(pk=current_workspace_id())
    texts = dict(MailText.objects.filter(key__in=[one.key for one in READY]).values_list("key", "public_id"))
    with translation.override(workspace.language):
        name, purpose = gettext("Notices of failed payments"), gettext("Tell who pays, clearer each time.")
    sequence: Sequence
    sequence, is_new = Sequence.objects.get_or_create(
        name=name,
        archived_at=None,
        defaults={"kind": SequenceKind.NOTICE, "purpose": purpose, "library_key": KEY},
    )
    if is_new:
        definition = parse_sequence(first_definition({key: str(pk) for key, pk in texts.items()}))
        SequenceVersion.objects.create(
            sequence=sequence, number=1, definition=definition.as_json(), published_at=timezone.now()
        )
    return sequence


def first_definition(texts: Mapping[str, str]) -> dict[str, Any]:
    """Four mails over the policy's weeks. `texts`: public ids by key."""

    def mail(at: str, key: str, position: str) -> dict[str, Any]:
        return {"id": at, "kind": ACTION, "text": texts[key], "position": position}

    def wait(at: str, days: int) -> dict[str, Any]:
        return {"id": at, "kind": WAIT, "amount": days, "unit": "days"}

    return {
        "trigger": {"on": "hand"},
        "steps": [
            mail("first", FIRST, POSITION_FIRST),
            wait("wait-1", 4),
            mail("second", SECOND, POSITION_MIDDLE),
            wait("wait-2", 6),
            mail("third", THIRD, POSITION_MIDDLE),
            {
                "id": "wait-end",
                "kind": WAIT_DATE,
                "amount": LAST_DAYS,
                "side": "before",
                "date": ENDS_AT,
                "missing": "end",
            },
            mail("last", LAST, POSITION_LAST),
        ],
        "exits": [],
        "again_days": 1,
        "at_most": 100,
        "daily_cap": 10_000,
        "holdout_percent": 0,
    }


def version_in_force(sequence: Sequence) -> SequenceVersion | None:
    """None when the workspace put its notices away; paused ones begin and stand still."""
    if sequence.archived_at is not None:
        return None
    return versions.newest_published(SequenceVersion, sequence)


def notices_in_words() -> NoticesInWords | None:
    """The steps in force; None when the workspace put its notices away."""
    sequence = the_sequence()
    version = version_in_force(sequence)
    if version is None:
        return None
    definition = SequenceDefinition.of_json(version.definition)
    return NoticesInWords(sequence, steps_in_words(definition), definition)


def ends_of(account_ids: list[int]) -> dict[int, datetime]:
    """When the first of an account's open cases ends; the date that the sequence waits for."""
    rows = DunningCase.objects.filter(account_id__in=account_ids, state="open").order_by("-ends_at")
    return dict(rows.values_list("account_id", "ends_at"))


def last_place(definition: SequenceDefinition) -> tuple[int, timedelta] | None:
    """Index of the last notice and how long before the end it goes; None where there is none."""
    places = [at for at, step in enumerate(definition.steps) if step.kind == ACTION]
    last = [at for at in places if definition.steps[at].values["position"] == POSITION_LAST]
    if not last:
        return None
    waits = [
        step.values["amount"]
        for step in definition.steps
        if step.kind == WAIT_DATE and step.values["date"] == ENDS_AT and step.values["side"] == "before"
    ]
    return last[-1], timedelta(days=waits[-1] if waits else LAST_DAYS)


def send(context: StepContext) -> StepResult:
    """The step: mail and message in this transaction. A middle one is left out for who is held out."""
    cases = [case for case in owed.open_cases(context.run.account_id) if case.is_told_of]
    position = context.values["position"]
    if not cases:
        return StepResult({"why": "settled"}, is_skipped=True)
    if position == POSITION_MIDDLE:
        if cases[0].is_held_out:
            return StepResult({"why": "held_out"}, is_skipped=True)
        note_middle_notice(
            version=cases[0].policy_version, account_id=context.run.account_id, now=context.now
        )
    text = MailText.objects.filter(public_id=context.values["text"]).first()
    contact = payer(cases[0])
    told = tell_other_systems(
        cases, contact=contact, position=position, cause_key=f"step:{context.step_run_id}", now=context.now
    )
    if contact is None:
        _ask_for_a_contact(cases[0], now=context.now)
        return StepResult({"why": "nobody", "endpoints": told}, is_skipped=True)
    if text is None or text_in_force(text) is None:
        return StepResult({"why": "no_text", "endpoints": told}, is_skipped=True)
    email = queue_notice(cases=cases, text=text, contact=contact, position=position, now=context.now)
    return StepResult({"position": position, "cases": len(cases), "endpoints": told}, email_id=email.pk)


def _ask_for_a_contact(case: DunningCase, *, now: datetime) -> None:
    """Nobody can be told: a CSM must find somebody."""
    book = open_book(case.pk)
    if book is None or book.is_over:
        return
    try:
        hand_to_csm(book, reason="nobody", now=now)
    except IllegalStep:  # a CSM has it already
        return
    book.write()


def words(values: Mapping[str, Any]) -> str:
    names = dict(text_choices())
    text = names.get(str(values.get("text", "")), gettext("a text that is not here any more"))
    position = str(dict(POSITIONS).get(values.get("position", ""), ""))
    return pgettext("notice of a failed payment", "Notice “%(text)s” (%(position)s)") % {
        "text": text,
        "position": position,
    }


def preview(context: PreviewContext) -> StepPreview:
    contact = context.contact or (context.contacts[0] if context.contacts else None)
    if contact is None:
        return StepPreview(words(context.values), problem=gettext("Nobody there to write to."))
    return StepPreview(words(context.values), person=str(contact), address=contact.email)


def text_choices() -> list[tuple[str, Any]]:
    rows = MailText.objects.filter(archived_at__isnull=True, purpose="dunning")
    return [(str(pk), name) for pk, name in rows.order_by("name").values_list("public_id", "name")]
