"""The notices of an account's open cases: one run for all of them, begun, held, hurried and ended with them.

One order of locks, as in the engine of sequences (`lock_cases` is its lock for runs of this kind): the account's
cases, then the run, then the row of a job. So the listeners below write a job under a case's lock, and the job locks
the cases before it asks for its own row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import Account, Contact, ContactHold, Job, MailText, Motion, OutboundEmail
from accounts.services.arbiter import place_hold, release_hold
from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.scoping import workspace_scope
from dunning.cases.steps import StepKind
from dunning.models import CaseState, DunningCase, DunningStep
from dunning.notice_texts import FIRST
from dunning.queries import owed
from dunning.services.notice_mails import NOTICE_KIND, payer, queue_notice, queue_receipt, text_in_force
from dunning.services.notice_sequence import (
    POSITION_FIRST,
    last_place,
    the_sequence,
    version_in_force,
)
from health.models import OPEN_STATES, RunState, SequenceRun
from health.sequences.definition import SequenceDefinition
from health.services.sequence_engine import nudge_run
from health.services.sequence_runs import begin_run, exit_run

FOLLOW_JOB = "dunning.notices"
HEARD = (StepKind.NOTICE_BEGUN, StepKind.NOTICE_SENT, StepKind.CARD_UPDATED)
QUIET = timedelta(
    hours=24
)  # a mail about a second invoice, when the first has just told of the account's debt


def begin(case: DunningCase, now: datetime) -> SequenceRun | None:
    """Begin the notices of a case, or let it join those that run for its account; under the case's lock.

    None: the workspace put its notices away. The person is held for dunning while they run.
    """
    version = version_in_force(the_sequence())
    if version is None:
        return None
    contact = payer(case)
    if contact is not None:
        place_hold(contact=contact, motion=Motion.DUNNING, until=None, now=now)
    running = _running(case.account_id)
    if running is None:
        running = begin_run(
            version=version,
            account_id=case.account_id,
            source=f"case:{case.pk}",
            contact=None,
            acting_user=None,
            now=now,
        )
    elif contact is not None:
        _tell_of_another(case, contact, now)
    last = last_place(SequenceDefinition.of_json(running.version.definition))
    delay = case.ends_at - last[1] - now if last else timedelta(0)
    Job.objects.put(FOLLOW_JOB, case.pk, delay=max(delay, timedelta(0)))
    return running


def _running(account_id: int) -> SequenceRun | None:
    rows = SequenceRun.objects.filter(account_id=account_id, sequence=the_sequence(), state__in=OPEN_STATES)
    found: SequenceRun | None = rows.select_related("version").first()
    return found


def _tell_of_another(case: DunningCase, contact: Contact, now: datetime) -> None:
    """A second invoice failed while notices run: its first notice goes at once, the others speak of both."""
    recent = OutboundEmail.objects.filter(kind=NOTICE_KIND, contact=contact, created_at__gt=now - QUIET)
    text = MailText.objects.filter(key=FIRST).first()
    if recent.exists() or text is None or text_in_force(text) is None:
        return
    others = [one for one in owed.open_cases(case.account_id) if one.pk != case.pk and one.is_told_of]
    queue_notice(cases=[case, *others], text=text, contact=contact, position=POSITION_FIRST, now=now)


def end(case: DunningCase, reason: str, now: datetime) -> None:
    """The case is over, stopped or goes on: its notices follow in a transaction of their own."""
    Job.objects.put(FOLLOW_JOB, case.pk)


def on_paused(case: DunningCase, now: datetime) -> None:
    end(case, "stopped", now)


def on_resumed(case: DunningCase, now: datetime) -> None:
    end(case, "resumed", now)


def on_closed(case: DunningCase, now: datetime) -> None:
    """Nothing follows where nobody was told and nobody acted: such an end is silent, and moves no run."""
    if DunningStep.objects.filter(case=case, kind__in=HEARD).exists():
        end(case, case.closing_reason, now)


def follow_job(lease: Lease) -> None:
    """Handler: bring run, hold and receipt in line with the account's cases, and look again when it is time."""
    now = timezone.now()
    with workspace_scope(lease.workspace_id):
        again_at = follow(lease.object_id, now=now, fence=lease.hold)
    if again_at is not None:
        raise ComeBack(max(again_at - now, timedelta(minutes=1)))


def lock_cases(account_id: int, *more: int) -> None:
    """Lock the account's open cases, and those named, in one order."""
    wanted = DunningCase.objects.filter(Q(account_id=account_id, state=CaseState.OPEN) | Q(pk__in=more))
    list(wanted.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def follow(case_id: int, *, now: datetime, fence: Callable[[], None] = lambda: None) -> datetime | None:
    """What `follow_job` does, in the running transaction; returns when the last notice would be late."""
    account_id = DunningCase.objects.filter(pk=case_id).values_list("account_id", flat=True).first()
    if account_id is None:
        return None
    lock_cases(account_id, case_id)
    fence()
    case = DunningCase.objects.select_related("account", "contact", "invoice").get(pk=case_id)
    left = _told_cases(case.account_id)
    run = _running(case.account_id)
    if case.state == CaseState.RECOVERED and _was_asked(case):
        queue_receipt(case, now=now)
    if not left:
        if run is not None:
            exit_run(run=run, reason="settled", acting_user=None, now=now)
        _release(case.account, now)
        return None
    if run is None:
        run = _begin_again(left, now)
    if run is not None:
        _hold_or_go_on(run, left, now)
    is_going_on = run is not None and case.state == CaseState.OPEN and any(one.is_told_of for one in left)
    return _hurry(run, left, now) if run and is_going_on else None


def _told_cases(account_id: int) -> list[DunningCase]:
    """Open cases whose notices have begun."""
    begun = DunningStep.objects.filter(case__account_id=account_id, kind=StepKind.NOTICE_BEGUN)
    ids = set(begun.values_list("case_id", flat=True))
    return [case for case in owed.open_cases(account_id) if case.pk in ids]


def _was_asked(case: DunningCase) -> bool:
    """The person was told of the failure, or acted on it: they also hear that it is settled."""
    asked = DunningStep.objects.filter(case=case, kind__in=(StepKind.NOTICE_SENT, StepKind.CARD_UPDATED))
    return any(
        kind == StepKind.NOTICE_SENT or detail.get("made_by", "person") == "person"
        for kind, detail in asked.values_list("kind", "detail")
    )


def _begin_again(left: list[DunningCase], now: datetime) -> SequenceRun | None:
    """The run ended with an earlier case; another one still waits for its own last notice."""
    version = version_in_force(the_sequence())
    waiting = [case for case in left if case.is_told_of]
    if version is None or not waiting:
        return None
    source = f"case:{waiting[0].pk}"
    if SequenceRun.objects.filter(sequence_id=version.sequence_id, source=source).exists():
        return None  # it had its notices
    return begin_run(
        version=version,
        account_id=waiting[0].account_id,
        source=source,
        contact=None,
        acting_user=None,
        now=now,
    )


def _hold_or_go_on(run: SequenceRun, left: list[DunningCase], now: datetime) -> None:
    """Cases that are stopped, or whose customer leaves, hold the run where it is; it goes on with the first that
    goes on. Who leaves is free for other motions meanwhile."""
    locked = SequenceRun.objects.select_for_update().get(pk=run.pk)
    is_stopped = not any(case.is_told_of for case in left)
    if is_stopped and all(case.leaves_at is not None for case in left):
        _release(left[0].account, now)
    if is_stopped and locked.state in (RunState.ACTIVE, RunState.WAITING):
        locked.state = RunState.PAUSED
        locked.save(update_fields=["state"])
    elif not is_stopped and locked.state == RunState.PAUSED:
        contact = payer(next(case for case in left if case.is_told_of))
        if contact is not None:
            place_hold(contact=contact, motion=Motion.DUNNING, until=None, now=now)
        locked.state = RunState.WAITING if locked.next_due else RunState.ACTIVE
        locked.save(update_fields=["state"])
        nudge_run(locked.pk)


def _hurry(run: SequenceRun, left: list[DunningCase], now: datetime) -> datetime | None:
    """Under a short policy the waits are longer than the time: the last notice then comes before its turn."""
    locked = SequenceRun.objects.select_for_update().select_related("version").get(pk=run.pk)
    found = last_place(SequenceDefinition.of_json(locked.version.definition))
    if found is None or locked.state not in (RunState.ACTIVE, RunState.WAITING):
        return None
    place, before = found
    late_at: datetime = min(case.ends_at for case in left if case.is_told_of) - before
    if locked.position >= place:
        return None
    if late_at > now:
        return late_at
    locked.position, locked.visit, locked.state = place, 1, RunState.ACTIVE
    locked.next_due = locked.wait_ends = None
    locked.save(update_fields=["position", "visit", "state", "next_due", "wait_ends"])
    nudge_run(locked.pk)
    return None


def _release(account: Account, now: datetime) -> None:
    holds = ContactHold.objects.filter(
        contact__account=account, motion=Motion.DUNNING, released_at__isnull=True
    )
    for hold in holds.select_related("contact"):
        release_hold(contact=hold.contact, motion=Motion.DUNNING, now=now)
