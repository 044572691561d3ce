"""What people do with a case: retry, stop, go on, note, hand over, close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import BillingOrder, Job, MadeBy, User
from accounts.services.audit import audit
from dunning.cases.steps import (
    CardUpdated,
    Closed,
    ConfirmationDone,
    Detail,
    ManualRetry,
    Note,
    PaidElsewhere,
    Resumed,
    Stopped,
    TakenBack,
)
from dunning.cases.transitions import IllegalStep, State
from dunning.cases.words import reason_words
from dunning.models import DunningCase
from dunning.policy.planning import may_try_by_hand
from dunning.policy.reasons import WhyNot
from dunning.queries.case_facts import situation_of
from dunning.registry import case_listeners
from dunning.services.case_plans import begin_charge, plan
from dunning.services.case_steps import CHECK_JOB, CaseBook, open_book, wake
from dunning.services.cases import LEAST_TIME
from dunning.services.closing import after_closing, stop_orders
from dunning.services.handing_over import close_item, hand_to_csm
from health.models import ResolutionResult

LONGEST_NOTE = 2000
A_MINUTE = timedelta(minutes=1)
_WORDS = {
    "closed": _("The case is closed."),
    "handed_over": _("The case is in the queue already."),
    "has_provider": _("The payment provider says whether this invoice is paid."),
    "taken_back": _("The case is not in the queue."),
    "stopped": _("The case is stopped already."),
    "resumed": _("The case is not stopped."),
}


class CaseRefused(Exception):
    """The case does not allow it now; nothing was written. `code` is a WhyNot or one of the codes below."""

    def __init__(self, code: str, data: Any = None) -> None:
        super().__init__(code)
        self.code, self.data = code, data

    @property
    def words(self) -> str:
        own = _WORDS.get(self.code)
        return str(own) if own else reason_words(self.code, self.data)


@transaction.atomic
def retry_now(*, case: DunningCase, acting_user: User, now: datetime) -> BillingOrder:
    """A CSM's own retry. What the networks forbid stays forbidden; the policy's schedule is advice."""
    book = _open(case)
    order = _charge(book, made_by=MadeBy.CSM, now=now, acting_user=acting_user)
    audit("dunning.case.retried", acting_user=acting_user, target=book.case, order=order.pk)
    return order


@transaction.atomic
def pay_now(
    *, case: DunningCase, now: datetime, made_by: str = MadeBy.PERSON, method: str = ""
) -> BillingOrder:
    """The customer's person pays, with the given method or the one that is there. Raises CaseRefused."""
    return _charge(_open(case), made_by=MadeBy(made_by), now=now, method=method)


def _charge(
    book: CaseBook, *, made_by: MadeBy, now: datetime, method: str = "", acting_user: User | None = None
) -> BillingOrder:
    if book.state.open_attempt is not None:
        raise CaseRefused(WhyNot.OUTCOME_UNKNOWN)
    known = situation_of(book.invoice, ends_at=book.state.ends_at, now=now, state=book.state)
    if not known.is_automatic:
        raise CaseRefused(WhyNot.NOT_AUTOMATIC)
    is_same = not method or known.method is None or known.method.external_id == method
    if is_same and (refused := may_try_by_hand(known.facts, book.policy, now=now)):
        raise CaseRefused(refused.why, refused.data)
    try:
        if made_by == MadeBy.CSM:
            book.record(ManualRetry(), at=now, acting_user=acting_user)
        order = begin_charge(
            book, made_by=made_by, now=now, known=known, method=method, acting_user=acting_user
        )
    except IllegalStep as error:
        raise CaseRefused(WhyNot.HARD_DECLINE) from error
    if order is None:
        raise CaseRefused(book.steps[-1].reason)
    book.write()
    return order


@transaction.atomic
def stop(*, case: DunningCase, acting_user: User, now: datetime, reason: str = "") -> None:
    """No retries and no notices until somebody resumes it. A charge that is on its way still ends."""
    book = _open(case)
    stop_orders(book, now=now)
    _record(book, Stopped(reason=reason), now=now, acting_user=acting_user)
    book.write()
    for listener in case_listeners:
        listener.on_paused(book.case, now)
    audit("dunning.case.stopped", acting_user=acting_user, target=book.case)


@transaction.atomic
def resume(*, case: DunningCase, acting_user: User, now: datetime) -> None:
    """Go on where it stopped; an end that passed meanwhile moves a week ahead."""
    book = _open(case)
    ends_at = None if book.state.ends_at > now + LEAST_TIME else now + LEAST_TIME
    _record(book, Resumed(ends_at=ends_at), now=now, acting_user=acting_user)
    _go_on(book, now)
    for listener in case_listeners:
        listener.on_resumed(book.case, now)
    audit("dunning.case.resumed", acting_user=acting_user, target=book.case)


@transaction.atomic
def note(*, case: DunningCase, text: str, acting_user: User, now: datetime) -> None:
    """A remark on the case's timeline; also on a closed one. The same words again within a minute are one press too
    many."""
    book = _open(case, closed_too=True)
    wanted = Note(text=text.strip()[:LONGEST_NOTE])
    just_now = case.steps.filter(kind=wanted.KIND, acting_user=acting_user, happened_at__gt=now - A_MINUTE)
    if just_now.filter(detail__text=wanted.text).exists():
        return
    _record(book, wanted, now=now, acting_user=acting_user)
    book.write()


@transaction.atomic
def hand_over(*, case: DunningCase, acting_user: User, now: datetime) -> None:
    """Put it into the CSM's queue with the ARR at stake; retries and notices go on."""
    book = _open(case)
    try:
        hand_to_csm(book, reason="by_hand", now=now, acting_user=acting_user)
    except IllegalStep as error:
        raise CaseRefused("handed_over") from error
    book.write()
    audit("dunning.case.handed_over", acting_user=acting_user, target=book.case)


@transaction.atomic
def take_back(*, case: DunningCase, acting_user: User, now: datetime) -> None:
    """Undo a hand-over: its item leaves the queue and the case goes on as before."""
    book = _open(case)
    _record(book, TakenBack(), now=now, acting_user=acting_user)
    close_item(book.case, result=ResolutionResult.NOT_NEEDED, now=now)
    _go_on(book, now)
    audit("dunning.case.taken_back", acting_user=acting_user, target=book.case)


@transaction.atomic
def mark_paid_by_hand(*, case: DunningCase, acting_user: User, now: datetime) -> None:
    """For accounts without a provider: the money came another way. The invoice is paid with it."""
    book = _open(case)
    invoice = book.invoice
    if invoice.provider:
        raise CaseRefused("has_provider")
    owed = invoice.amount_minor - invoice.amount_paid_minor
    invoice.status, invoice.paid_at, invoice.amount_paid_minor = "paid", now, invoice.amount_minor
    invoice.save(update_fields=["status", "paid_at", "amount_paid_minor"])
    _close(book, PaidElsewhere(amount_minor=owed, currency=invoice.currency), now, acting_user)
    audit("dunning.case.marked_paid", acting_user=acting_user, target=book.case)


@transaction.atomic
def close(*, case: DunningCase, acting_user: User, now: datetime, reason: str = "by_hand") -> None:
    """Give it up: nothing further is tried or said. The invoice at the provider stays as it is."""
    book = _open(case)
    _close(book, Closed(state=State.CANCELED, reason=reason), now, acting_user)
    audit("dunning.case.closed", acting_user=acting_user, target=book.case, reason=reason)


def _close(book: CaseBook, detail: Detail, now: datetime, acting_user: User) -> None:
    if not stop_orders(book, now=now):
        raise CaseRefused(WhyNot.OUTCOME_UNKNOWN)
    _record(book, detail, now=now, acting_user=acting_user)
    book.write()
    after_closing(book, now=now)


@transaction.atomic
def card_updated(
    *, case: DunningCase, now: datetime, made_by: str = "person", brand: str = "", last4: str = ""
) -> None:
    """There is a new method: a refused charge is tried again at once."""
    book = _open(case)
    _record(book, CardUpdated(made_by=made_by, brand=brand, last4=last4), now=now)
    _go_on(book, now)


@transaction.atomic
def confirmation_done(*, case: DunningCase, has_passed: bool, now: datetime) -> None:
    """The person came back from their bank; what the provider holds decides, so the mirror is read afresh."""
    book = _open(case)
    _record(book, ConfirmationDone(has_passed=has_passed), now=now)
    book.write()
    Job.objects.put(CHECK_JOB, book.case.pk)


def _go_on(book: CaseBook, now: datetime) -> None:
    plan(book, now=now)
    book.write()
    wake(book, now=now)


def _open(case: DunningCase, *, closed_too: bool = False) -> CaseBook:
    book = open_book(case.pk)
    if book is None or not (closed_too or book.state.is_open):
        raise CaseRefused("closed")
    return book


def _record(book: CaseBook, detail: Detail, *, now: datetime, acting_user: User | None = None) -> None:
    try:
        book.record(detail, at=now, acting_user=acting_user)
    except IllegalStep as error:
        raise CaseRefused(str(error.kind)) from error
