"""Tells people before a payment, after every night: once per cause, date and mark, and kept as proof.

Nothing is said while the workspace collects nothing, to nobody who has canceled, and about no card that the card
network has replaced.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.models import (
    Account,
    BillingInterval,
    Contact,
    MailText,
    Motion,
    OutboundEmail,
    Subscription,
    Workspace,
)
from accounts.ready_texts import create_ready_texts
from accounts.services.mail_texts import language_for, queue_text_mail
from cs_platform.lib.scoping import current_workspace_id
from dunning.advance_texts import CARD, DISCOUNT, PRICE, READY, RENEWAL
from dunning.models import AdvanceNotice, AdvanceNoticeKind, DunningPolicy
from dunning.queries.coming import Coming, coming
from dunning.queries.owed import money_of
from dunning.queries.pay_methods import card_words
from dunning.services.cases import payer_of_account
from dunning.services.notice_mails import text_in_force
from dunning.services.policies import definition_of, version_in_force

ADVANCE_JOB, ADVANCE_KIND = "dunning.advance_notices", "dunning.advance_notice"
SOURCE = "dunning.advance_notice"
TEXTS = {
    AdvanceNoticeKind.RENEWAL: RENEWAL,
    AdvanceNoticeKind.CARD_EXPIRES: CARD,
    AdvanceNoticeKind.PRICE_CHANGE: PRICE,
    AdvanceNoticeKind.DISCOUNT_ENDS: DISCOUNT,
}


def run(_night_id: int) -> None:
    """Handler of the job that the end of a night brings."""
    tell_in_advance(now=timezone.now())


def tell_in_advance(*, now: datetime) -> int:
    """Write every notice whose day has come; returns how many mails were queued. Again the same day: none."""
    if not DunningPolicy.objects.filter(collecting_since__isnull=False).exists():
        return 0
    create_ready_texts(READY)
    workspace = Workspace.objects.get(pk=current_workspace_id())
    policy = definition_of(version_in_force())
    found = coming(policy, zone=workspace.zone, now=now)
    known = set(
        AdvanceNotice.objects.filter(about_on__gte=now.date()).values_list(
            "kind", "subject", "about_on", "days_before"
        )
    )
    fresh: dict[tuple[object, ...], Coming] = {}
    for one in found:
        key = (str(one.kind), one.subject, one.about_on, one.days_before)
        if key not in known:
            fresh.setdefault(key, one)
    texts = {text.key: text for text in MailText.objects.filter(key__in=TEXTS.values())}
    return sum(_tell(one, texts.get(TEXTS[one.kind]), workspace, now) for one in fresh.values())


def _tell(one: Coming, text: MailText | None, workspace: Workspace, now: datetime) -> bool:
    """One row whatever comes of it: the mail, or why there is none."""
    account = Account.objects.get(pk=one.account_id)
    contact = payer_of_account(account.pk)
    row, is_new = AdvanceNotice.objects.get_or_create(
        kind=one.kind,
        subject=one.subject,
        about_on=one.about_on,
        days_before=one.days_before,
        defaults={"account": account, "contact": contact, "created_at": now},
    )
    if not is_new:
        return False
    if contact is None or text is None or text_in_force(text) is None:
        row.not_sent_because = "nobody" if contact is None else "no_text"
        row.save(update_fields=["not_sent_because"])
        return False
    row.email = _mail(one, row, text, contact, now)
    row.save(update_fields=["email"])
    return True


def _mail(one: Coming, row: AdvanceNotice, text: MailText, contact: Contact, now: datetime) -> OutboundEmail:
    version = text_in_force(text)
    with translation.override(language_for(version.definition, contact) if version else contact.language):
        values = {
            "payment.what": one.what or gettext("Subscription"),
            "payment.amount": _price(one.amount_minor, one.currency, one.interval),
            "payment.price_before": _price(one.before_minor, one.currency, one.before_interval),
            "payment.date": str(date_format(one.next_on or one.about_on, "DATE_FORMAT")),
            "payment.card": card_words(one.method) if one.method else "",
            "payment.expiry": str(date_format(one.about_on, "YEAR_MONTH_FORMAT")),
        }
    return queue_text_mail(
        text=text,
        contact=contact,
        acting_user=None,
        now=now,
        context_extra=values,
        kind=ADVANCE_KIND,
        source_type=SOURCE,
        source_id=row.pk,
        version=version,
        motion=Motion.DUNNING,
    )


def _price(amount_minor: int, currency: str, interval: str) -> str:
    """The amount, with its interval where it is a price."""
    amount = money_of(amount_minor, currency)
    match interval:
        case BillingInterval.MONTH:
            return gettext("%(amount)s a month") % {"amount": amount}
        case BillingInterval.QUARTER:
            return gettext("%(amount)s a quarter") % {"amount": amount}
        case BillingInterval.YEAR:
            return gettext("%(amount)s a year") % {"amount": amount}
    return amount


def still_wanted(email: OutboundEmail) -> bool:
    """Who has canceled since, or has another card by now, is not told any more."""
    row = AdvanceNotice.objects.filter(pk=email.source_id).first()
    if row is None:
        return False
    subscriptions = Subscription.objects.filter(account_id=row.account_id, ended_at__isnull=True)
    going_on = subscriptions.filter(cancel_at__isnull=True)
    if row.kind != AdvanceNoticeKind.CARD_EXPIRES:
        return bool(going_on.filter(external_id=row.subject).exists())
    policy = definition_of(version_in_force())
    workspace = Workspace.objects.get(pk=current_workspace_id())
    again = coming(policy, zone=workspace.zone, now=timezone.now())
    return any(
        one.kind == row.kind and one.subject == row.subject and one.about_on == row.about_on for one in again
    )
