"""The card page: public, by the link of a mail, on a phone. A GET shows; whatever changes something is a POST.

The address carries the token: pages name nothing else of it, no other site gets it as referrer, and no log keeps
it (`accounts/views/public.py`, `cs_platform/monitoring`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account, BillingOrder, OrderState
from accounts.models.workspaces import LANGUAGES
from accounts.tasks import nudge
from accounts.views.public import LinkRequest, no_such_link, public_page
from cs_platform.lib.periods import local_day
from dunning.forms.pay import QuestionForm
from dunning.queries.pay_page import PayPage, pay_page
from dunning.services import card_placing, card_setup, paying, questions
from dunning.services.method_charges import named_charges
from dunning.services.pay_links import PURPOSE

MOST_LOOKS = 20  # of a page that waits, two seconds apart
_OVER = (OrderState.SUCCEEDED, OrderState.FAILED, OrderState.CANCELED, OrderState.BY_HAND)
_KNOWN = {code for code, _name in LANGUAGES}
View = Callable[..., HttpResponse]


def _page(view: View) -> View:
    """In the language of the switch, else the person's; the account of the link must still be there."""

    @functools.wraps(view)
    def shown(request: LinkRequest) -> HttpResponse:
        account = Account.objects.filter(pk=request.link.object_id).first()
        contact = request.link.contact
        if account is None or (contact is not None and contact.account_id != account.pk):
            return no_such_link(request)
        chosen = request.GET.get("lang", "")
        language = chosen if chosen in _KNOWN else translation.get_language()
        with translation.override(language):
            return view(request, account)

    return shown


@require_safe
@public_page(PURPOSE)
@_page
def pay(request: LinkRequest, account: Account) -> HttpResponse:
    return _show(request, account)


def _show(
    request: LinkRequest, account: Account, *, form: QuestionForm | None = None, status: int = 200
) -> HttpResponse:
    page = _read(request, account)
    context = _context(request, account, page) | {"form": form or QuestionForm(), "asks": form is not None}
    if page.is_busy and form is None:
        context |= _again(request)
    return render(request, "public/pay.html", context, status=status)


def _read(request: LinkRequest, account: Account) -> PayPage:
    return pay_page(
        account,
        zone=request.link.workspace.zone,
        language=translation.get_language() or "en",
        now=timezone.now(),
    )


def _context(request: LinkRequest, account: Account, page: PayPage) -> dict[str, Any]:
    return {
        "workspace": request.link.workspace,
        "account": account,
        "page": page,
        "token": _token(request),
        "query": _query(request),
        "languages": [(code, name, _here(request, code)) for code, name in LANGUAGES],
    }


def _here(request: LinkRequest, language: str) -> str:
    """This page in another language; what a form led to is shown by the page that it stood on."""
    if request.method not in ("GET", "HEAD"):
        return reverse("dunning:pay", args=[_token(request)]) + _query(request, language)
    return request.path + _query(request, language, **_kept(request))


def _kept(request: LinkRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("order", "session") if name in request.GET}


@require_POST
@public_page(PURPOSE)
@_page
def card(request: LinkRequest, account: Account) -> HttpResponse:
    """Order the provider's page and go where it will be.

    What was to be paid may have been paid meanwhile; only who asks for later payments goes on then.
    """
    page = _read(request, account)
    if page.customer is None or (page.is_paid and request.POST.get("for") != "later"):
        return _back(request)
    try:
        order = card_setup.begin(
            account=account,
            contact=request.link.contact,
            customer=page.customer,
            kind=card_setup.ANY if request.POST.get("method") == "any" else card_setup.CARD,
            language=translation.get_language() or "en",
            now=timezone.now(),
        )
    except card_setup.TooMany:
        return _too_many(request, account)
    transaction.on_commit(nudge)
    address = reverse("dunning:pay_wait", args=[_token(request)])
    return redirect(address + _query(request, order=str(order.public_id)))


@require_safe
@public_page(PURPOSE)
@_page
def wait(request: LinkRequest, account: Account) -> HttpResponse:
    """A moment, until the provider's page is there; then on to it."""
    order = _order_of(request, account, public_id=request.GET.get("order", ""))
    url = str(order.result.get("url") or "")
    context = _context(request, account, PayPage([], []))
    if card_placing.is_used(order):  # come back to it by the browser's button
        address = reverse("dunning:pay_done", args=[_token(request)])
        return redirect(address + _query(request, session=order.provider_ref))
    if order.planned_at < timezone.now() - card_setup.PAGE_LIVES:
        messages.error(request, gettext("The page has expired. Nothing was changed; please try again."))
        return _back(request)
    if order.state == OrderState.SUCCEEDED and url:
        # No redirect: a browser may refuse one to another site in the answer to a form. Scripts go on by
        # themselves, and leave no page behind that would send a person who goes back on again.
        return render(request, "public/pay_wait.html", context | {"go_url": url})
    if order.state not in (OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN):
        messages.error(
            request, gettext("The page could not be opened. Nothing was changed; please try again.")
        )
        return _back(request)
    return render(request, "public/pay_wait.html", context | _again(request))


@require_safe
@public_page(PURPOSE)
@_page
def done(request: LinkRequest, account: Account) -> HttpResponse:
    """Back from the provider: what was saved is read there by a job; this page only watches."""
    order = _order_of(request, account, session=request.GET.get("session", ""))
    sets = list(card_placing.sets_of(order))
    page = _read(request, account)
    if not sets:
        card_setup.look_now(order)
        transaction.on_commit(nudge)
    over = {one.pk: one.state != OrderState.SUCCEEDED for one in sets if one.state in _OVER}
    named = {one.pk for one in sets if over.get(one.pk) and named_charges(one).exists()}
    is_saved = bool(sets) and all(one.pk in over for one in sets)
    has_failed = any(refused and pk not in named for pk, refused in over.items())
    is_moving = not has_failed and (not is_saved or page.is_busy)
    charges = card_placing.charges_since(order)
    context = _context(request, account, page) | (_again(request) if is_moving else {})
    outcome = "failed" if has_failed else _outcome(page, charges)
    if is_moving:
        outcome = "slow" if context["is_slow"] else "moving"
    context |= {"outcome": outcome, "is_saved": is_saved, "form": QuestionForm()}
    context["has_charge"] = page.is_charged or bool(charges)
    return render(request, "public/pay_done.html", context)


def _outcome(page: PayPage, charges: set[str]) -> str:
    """What came of a payment method that was saved, in one word for the template."""
    if page.is_paid:
        return "paid" if OrderState.SUCCEEDED in charges else "saved"
    if page.is_pending:
        return "pending"
    if page.confirm_url:
        return "confirm"
    if OrderState.FAILED in charges:
        return "refused"
    return "partly" if OrderState.SUCCEEDED in charges else "saved"


@require_POST
@public_page(PURPOSE)
@_page
def now(request: LinkRequest, account: Account) -> HttpResponse:
    """Charge the method on file."""
    moment = timezone.now()
    try:
        paying.pay_all(account=account, now=moment, day=local_day(moment, request.link.workspace.zone))
    except paying.TooMany:
        return _too_many(request, account)
    transaction.on_commit(nudge)
    return _back(request)


@require_POST
@public_page(PURPOSE)
@_page
def question(request: LinkRequest, account: Account) -> HttpResponse:
    form = QuestionForm(request.POST)
    if not form.is_valid():
        return _show(request, account, form=form, status=422)
    page = _read(request, account)
    try:
        questions.ask(
            account=account,
            contact=request.link.contact,
            case=page.case,
            text=form.cleaned_data["text"],
            now=timezone.now(),
        )
    except questions.TooMany:
        return _too_many(request, account)
    messages.success(request, gettext("Thank you. A person reads your question and answers by mail."))
    return _back(request)


def _order_of(
    request: LinkRequest, account: Account, *, public_id: str = "", session: str = ""
) -> BillingOrder:
    """A page of the provider that was ordered for this account."""
    if "\x00" in session:  # the database has no such text
        raise Http404
    rows = BillingOrder.objects.filter(source_type=card_setup.SETUP_SOURCE, source_id=account.pk)
    try:
        found = rows.filter(provider_ref=session) if session else rows.filter(public_id=UUID(public_id))
    except ValueError:
        raise Http404 from None
    order: BillingOrder | None = found.first()
    if order is None:
        raise Http404
    return order


def _too_many(request: LinkRequest, account: Account) -> HttpResponse:
    words = gettext("That was tried very often today. Please try again tomorrow, or answer our mail.")
    messages.error(request, words)
    return _show(request, account, status=429)


def _back(request: LinkRequest) -> HttpResponse:
    return redirect(reverse("dunning:pay", args=[_token(request)]) + _query(request))


def _token(request: HttpRequest) -> str:
    return str(request.resolver_match.kwargs["token"]) if request.resolver_match else ""


def _query(request: HttpRequest, language: str = "", **more: str) -> str:
    """The chosen language goes along from page to page."""
    chosen = language or request.GET.get("lang", "")
    values = ({"lang": chosen} if chosen in _KNOWN else {}) | more
    return f"?{urlencode(values)}" if values else ""


def _again(request: LinkRequest) -> dict[str, Any]:
    """Where a page that waits looks again (by itself with scripts, by a link without), and whether it has done so for long enough."""
    tried = request.GET.get("n", "0")
    count = int(tried) if tried.isdecimal() and len(tried) < 4 else 0
    address = request.path + _query(request, **_kept(request), n=str(count + 1))
    return {"again_url": address if count < MOST_LOOKS else "", "is_slow": count >= MOST_LOOKS}
