"""Write to a person of an account, see how it will look, think again, and see what was sent."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.forms.mails import MailForm, people_of
from accounts.mail_texts.about import About
from accounts.mail_texts.placeholders import names_in, values_of
from accounts.models import Account, Contact, MailClass, MailText, OutboundEmail
from accounts.queries.mail_reasons import reason_words
from accounts.queries.mails import state_words, subject_of, text_mails
from accounts.queries.texts import published_texts
from accounts.services.arbiter import Decision, assess
from accounts.services.mail_rendering import render_again, render_words
from accounts.services.mail_texts import PERSONAL_KIND, TIME_TO_UNDO, TooLate, take_back
from accounts.services.personal_mails import filled, send_personal_mail
from accounts.views.mail_frame import frame_response, framed, message_response
from accounts.views.returning import return_address
from cs_platform.lib.ids import read_uuid


@requires("accounts.work")
def write_mail(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The form; POST "fill" puts the chosen text into it, "send" queues the mail."""
    account = get_object_or_404(Account, public_id=public_id)
    if request.method != "POST":
        return _ask(request, account, _first(request, account))
    if request.POST.get("do") == "fill":
        return _ask(request, account, _refilled(request, account))
    form = MailForm(request.POST, account=account)
    if not form.is_valid():
        return _ask(request, account, form, status=422)
    contact, text, now = form.cleaned_data["contact"], form.cleaned_data["text"], timezone.now()
    email = send_personal_mail(
        contact=contact,
        subject=form.cleaned_data["subject"],
        body=form.cleaned_data["body"],
        text=text,
        acting_user=request.user,
        now=now,
    )
    undo = reverse("accounts:mail_withdrawals", args=[email.public_id])
    words = _sent_words(contact, _forecast(contact, text))
    messages.success(request, words, extra_tags=f"undo:{undo}")
    return redirect(return_address(request, f"/accounts/{account.public_id}/"))


def _sent_words(contact: Contact, decision: Decision) -> str:
    if decision.allowed:
        return gettext("The mail to %(name)s leaves in %(n)d seconds.") % {
            "name": contact,
            "n": TIME_TO_UNDO.seconds,
        }
    return gettext("The mail to %(name)s is written down.") % {"name": contact} + " " + _held_words(decision)


def _forecast(contact: Contact, text: MailText | None) -> Decision:
    """What the arbiter would say now; nothing is stored."""
    mail_class = text.mail_class if text else MailClass.OTHER
    return assess(contact=contact, mail_class=mail_class, kind=PERSONAL_KIND, now=timezone.now())


def _held_words(decision: Decision) -> str:
    reason = reason_words(decision.reason, decision.detail)
    if decision.not_before is None:
        return gettext("It would not be sent: %(reason)s") % {"reason": reason}
    when = date_format(timezone.localtime(decision.not_before), "SHORT_DATETIME_FORMAT")
    return gettext("It would wait until %(when)s: %(reason)s") % {"when": when, "reason": reason}


def _first(request: WorkspaceRequest, account: Account) -> MailForm:
    people = people_of(account)
    contact = people.filter(public_id=_id(request.GET.get("contact"))).first() or people.first()
    text = published_texts().filter(public_id=_id(request.GET.get("text"))).first()
    initial: dict[str, Any] = {"contact": contact.public_id if contact else None}
    if contact and text:
        initial |= {"text": text.public_id, **_fill(request, text, contact)}
    return MailForm(account=account, initial=initial)


def _id(text: str | None) -> UUID:
    """What cannot be read names nobody."""
    return read_uuid(text) or UUID(int=0)


def _fill(request: WorkspaceRequest, text: MailText, contact: Contact) -> dict[str, str]:
    return filled(text=text, contact=contact, acting_user=request.user, now=timezone.now())


def _mark(subject: str, body: str) -> str:
    """Recognises words that nobody has touched."""
    return hashlib.sha256(f"{subject}\n{body}".replace("\r\n", "\n").strip().encode()).hexdigest()[:16]


def _refilled(request: WorkspaceRequest, account: Account) -> MailForm:
    """Put the chosen text in, unless somebody has written words of their own."""
    asked = request.POST
    subject, body = asked.get("subject", ""), asked.get("body", "")
    contact = people_of(account).filter(public_id=_id(asked.get("contact"))).first()
    text = published_texts().filter(public_id=_id(asked.get("text"))).first()
    is_own = bool(subject + body) and _mark(subject, body) != asked.get("filled")
    words = {"subject": subject, "body": body}
    if contact and not is_own:
        words = _fill(request, text, contact) if text else {"subject": "", "body": ""}
    initial = {"contact": asked.get("contact"), "text": text.public_id if text else None, **words}
    return MailForm(account=account, initial=initial)


def _ask(request: WorkspaceRequest, account: Account, form: MailForm, *, status: int = 200) -> HttpResponse:
    """The form in the dialog, or as a page of its own; 422 when what was sent has mistakes."""
    contact = people_of(account).filter(public_id=_id(str(form["contact"].value() or ""))).first()
    text = published_texts().filter(public_id=_id(str(form["text"].value() or ""))).first()
    decision = _forecast(contact, text) if contact else None
    context = {
        "form": form,
        "account": account,
        "contact": contact,
        "held": _held_words(decision) if decision and not decision.allowed else "",
        "filled": _mark(str(form["subject"].value() or ""), str(form["body"].value() or "")),
        "here": return_address(request, f"/accounts/{account.public_id}/"),
        "preview_query": f"contact={contact.public_id}" + (f"&text={text.public_id}" if text else "")
        if contact
        else "",
    }
    if request.headers.get("HX-Target") == "write-mail":
        return render(request, "accounts/parts/mail_form.html", context, status=status)
    part = "accounts/parts/write_mail.html" if request.htmx else "accounts/write_mail.html"
    return render(request, part, context, status=status)


@requires("accounts.work")
@framed
def mail_preview(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    account = get_object_or_404(Account, public_id=public_id)
    asked = request.POST or request.GET
    contact = people_of(account).filter(public_id=_id(asked.get("contact"))).first()
    if contact is None:
        return message_response(request, gettext("Choose a person to write to."))
    words = {name: request.POST.get(name, "").replace("\r\n", "\n") for name in ("subject", "body")}
    if request.method != "POST":
        text = published_texts().filter(public_id=_id(asked.get("text"))).first()
        words = _fill(request, text, contact) if text else words
    workspace, language = request.membership.workspace, contact.language
    with translation.override(language):
        about = About(contact, workspace, language, timezone.now(), sender=request.user)
        values = values_of(names_in(*words.values()), about)
        foot = {"unsubscribe_url": "https://example.com/", "preferences_url": "https://example.com/"}
        made = render_words(words, values=values, workspace=workspace, language=language, foot=foot)
    return frame_response(request, made.html, scheme=asked.get("scheme", "light"))


@require_POST
@requires("accounts.work")
def mail_withdrawals(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Take a mail back before it leaves."""
    email = get_object_or_404(text_mails(), public_id=public_id)
    try:
        take_back(email=email, acting_user=request.user)
        messages.success(request, gettext("Taken back. Nobody gets it."))
    except TooLate:
        messages.warning(request, gettext("Too late: the mail has left already."))
    assert email.contact is not None
    return redirect(return_address(request, f"/accounts/{email.contact.account.public_id}/"))


@requires("accounts.view")
def mail_shown(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """One mail: to whom, what became of it, and its words once more."""
    email = get_object_or_404(text_mails(), public_id=public_id)
    context = {
        "email": email,
        "subject": subject_of(email),
        "state": state_words(email),
        "may_take_back": email.status == OutboundEmail.Status.QUEUED
        and email.begun_at is None
        and allows(request.membership, "accounts.work"),
    }
    return render(request, "accounts/mail.html", context)


@requires("accounts.view")
@framed
def mail_shown_frame(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    email = get_object_or_404(text_mails(), public_id=public_id)
    made = render_again(email)
    if made is None:
        return message_response(request, gettext("The words were removed when their time was over."))
    return frame_response(request, made.html, scheme=request.GET.get("scheme", "light"))
