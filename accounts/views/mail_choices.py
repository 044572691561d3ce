"""Unsubscribe and preferences: public, by the token in a mail, on a phone, changed by a POST only."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.forms.mail_choices import PreferenceForm
from accounts.models import MailCategory
from accounts.queries.mail_choices import address_of, choices_of, mail_of, masked, people_at
from accounts.services.mail_choices import save_choices, wait_for_hand_overs
from accounts.services.mail_links import PURPOSE
from accounts.services.suppressions import address_hash, unsubscribe
from accounts.views.public import LinkRequest, no_such_link, public_page


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponseBase:
    """RFC 8058: a POST by the mail program, without cookie or form token, unsubscribes and answers 200.

    The token is the authority; there is no session to ride on. A GET shows what would be stopped.
    """
    response = _unsubscribe(request, token=token)
    settled = getattr(request, "settled", None)
    if settled:  # committed by now: the scope around the page has closed
        wait_for_hand_overs(*settled, now=timezone.now())
    return response


unsubscribe_page.permission = "link"  # type: ignore[attr-defined]


@public_page(PURPOSE)
def _unsubscribe(request: LinkRequest) -> HttpResponse:
    email = mail_of(request.link)
    address = address_of(request.link, email)
    if not address:
        return no_such_link(request)
    category = email.category if email else ""
    context: dict[str, Any] = {
        "workspace": request.link.workspace,
        "address": masked(address),
        "category": MailCategory(category).label if category in MailCategory.values else "",
        "token": request.resolver_match.kwargs["token"] if request.resolver_match else "",
    }
    if request.method == "POST":
        only = [category] if request.POST.get("scope") == "category" and context["category"] else None
        unsubscribe(address, categories=only, now=timezone.now())
        request.settled = (request.link.workspace.pk, address)  # type: ignore[attr-defined]
        if request.POST.get("List-Unsubscribe") == "One-Click":  # a program asks: no page, no cookie
            return HttpResponse(gettext("You are unsubscribed."), content_type="text/plain; charset=utf-8")
        context |= {"is_done": True, "only": only is not None}
    return render(request, "public/unsubscribe.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@public_page(PURPOSE)
def mail_preferences(request: LinkRequest) -> HttpResponse:
    now = timezone.now()
    address = address_of(request.link, mail_of(request.link))
    if not address:
        return no_such_link(request)
    held = choices_of(address_hash(address), now)
    people = people_at(address)
    form = PreferenceForm(
        request.POST or None,
        has_person=bool(people),
        initial={
            "categories": held.wanted,
            "is_paused": held.paused_until is not None,
            "language": people[0].language if people else "",
        },
    )
    if request.method == "POST" and form.is_valid():
        save_choices(
            address=address,
            wanted=form.cleaned_data["categories"],
            is_paused=form.cleaned_data["is_paused"],
            paused_until=held.paused_until,
            language=form.cleaned_data.get("language", ""),
            now=now,
        )
        messages.success(request, gettext("Your choice is saved. It holds from now on."))
        return redirect(request.path)
    context = {
        "workspace": request.link.workspace,
        "address": masked(address),
        "form": form,
        "held": held,
    }
    status = 422 if form.errors else 200
    return render(request, "public/mail_preferences.html", context, status=status)


mail_preferences.permission = "link"  # type: ignore[attr-defined]
