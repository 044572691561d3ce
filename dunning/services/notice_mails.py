"""One notice: to whom, with which words, whether it still may leave, and what its sending does to the case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone, translation

from accounts.models import (
    BillingOrder,
    Contact,
    MailText,
    MailTextVersion,
    Motion,
    OrderKind,
    OrderState,
    OutboundEmail,
    Workspace,
)
from accounts.services import mail_texts
from accounts.services.jobs import ComeBack
from accounts.services.mail_texts import language_for, queue_text_mail
from accounts.services.versions import newest_published
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.steps import NoticeSent
from dunning.cases.transitions import IllegalStep
from dunning.models import CaseState, DunningCase
from dunning.notice_texts import RECEIPT
from dunning.queries import owed
from dunning.services.case_steps import SOURCE, open_book
from dunning.services.cases import payer_of

NOTICE_KIND, RECEIPT_KIND = "dunning.notice", "dunning.receipt"
A_MOMENT, A_WHILE = timedelta(minutes=1), timedelta(hours=1)
_ON_ITS_WAY = (OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN)


def payer(case: DunningCase) -> Contact | None:
    """Whom to write to now: who was chosen at the opening, while that person is there."""
    chosen = case.contact
    if chosen is not None and chosen.left_at is None and chosen.email:
        return chosen
    return payer_of(case.invoice)


def text_in_force(text: MailText | None) -> MailTextVersion | None:
    return newest_published(MailTextVersion, text) if text and text.archived_at is None else None


def queue_notice(
    *, cases: Sequence[DunningCase], text: MailText, contact: Contact, position: str, now: datetime
) -> OutboundEmail:
    """Write the mail of a notice about these open cases of one account. Raises NotPublished, NoAddress."""
    version = text_in_force(text)
    workspace = Workspace.objects.get(pk=current_workspace_id())
    language = language_for(version.definition, contact) if version else contact.language
    with translation.override(language):
        values = owed.notice_values(cases, workspace.zone)
    return queue_text_mail(
        text=text,
        contact=contact,
        acting_user=None,
        now=now,
        context_extra=values | {"position": position},
        kind=NOTICE_KIND,
        source_type=SOURCE,
        source_id=cases[0].pk,
        version=version,
        motion=Motion.DUNNING,
    )


def still_wanted(email: OutboundEmail) -> bool:
    """A notice leaves only while its payment is owed, nobody stopped the case and the customer does not leave.

    Asked in the transaction that says "sending", under the case's lock: what has paid it is seen here, and while
    a charge is on its way its outcome is waited for. Raises ComeBack then.
    """
    case = DunningCase.objects.select_for_update(no_key=True).filter(pk=email.source_id).first()
    if case is None or not case.is_told_of:
        return False
    orders = BillingOrder.objects.filter(invoice_id=case.invoice_id, kind=OrderKind.PAY)
    if orders.filter(state__in=_ON_ITS_WAY).exists():
        raise ComeBack(A_MOMENT)
    if orders.filter(state=OrderState.PENDING).exists():
        raise ComeBack(A_WHILE)
    return True


def on_settled(email: OutboundEmail) -> None:
    """A notice that went out is a step of every case that it was about."""
    mail_texts.on_settled(email)
    if email.status != OutboundEmail.Status.SENT or email.contact is None:
        return
    account = DunningCase.objects.filter(account_id=email.contact.account_id)
    about = account.filter(state=CaseState.OPEN) | account.filter(pk=email.source_id)
    for case_id in about.order_by("pk").values_list("pk", flat=True):
        _note_sent(case_id, email)


def _note_sent(case_id: int, email: OutboundEmail) -> None:
    book = open_book(case_id)
    if book is None:
        return
    name = str(email.context.get("extra", {}).get("position", ""))
    sent = NoticeSent(number=book.state.notices_sent + 1, name=name, email=email.pk)
    try:
        book.record(sent, at=email.sent_at or timezone.now())
    except IllegalStep:  # its own notices have not begun
        return
    book.write()


def queue_receipt(case: DunningCase, *, now: datetime) -> OutboundEmail | None:
    """Thanks and receipt for whoever was told of the failure, or paid; once per case."""
    text = MailText.objects.filter(key=RECEIPT, archived_at__isnull=True).first()
    version, contact = text_in_force(text), payer(case)
    sent = OutboundEmail.objects.filter(kind=RECEIPT_KIND, source_type=SOURCE, source_id=case.pk)
    if text is None or version is None or contact is None or sent.exists():
        return None
    workspace = Workspace.objects.get(pk=current_workspace_id())
    with translation.override(language_for(version.definition, contact)):
        values = {
            "payment.amount": owed.money_of(case.recovered_minor, case.currency),
            "payment.invoice": owed.number_of(case.invoice),
            "payment.what": owed.purpose_of(case.invoice, workspace.zone),
            "payment.date": owed.day(case.invoice.paid_at or now, workspace.zone),
        }
    return queue_text_mail(
        text=text,
        contact=contact,
        acting_user=None,
        now=now,
        context_extra=values,
        kind=RECEIPT_KIND,
        source_type=SOURCE,
        source_id=case.pk,
        version=version,
        motion=Motion.DUNNING,
    )
