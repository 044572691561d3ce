"""Settings: how mail gets through, who reports bounces, doubtful mails, suppressed addresses."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.mail_delivery import ProviderForm, SuppressionForm
from accounts.gateways.mail_reports import PROVIDERS, USER
from accounts.models import EmailSuppression, MailProvider, OutboundEmail
from accounts.queries.mail_delivery import delivery, doubtful_mails, suppression_page, suppressions
from accounts.queries.mail_reasons import reason_words
from accounts.services.doubtful_mails import leave, send_again
from accounts.services.mail_reports import connect_provider, disconnect_provider
from accounts.services.suppressions import Reason, address_hash, lift, suppress
from accounts.views.mail_titles import title_of
from cs_platform.lib.csv_text import csv_text


@requires("settings.manage")
def mail_delivery(request: WorkspaceRequest) -> HttpResponse:
    """Figures, doubtful mails, providers; a POST connects one and shows its address once."""
    now = timezone.now()
    form = ProviderForm(request.POST or None)
    shown = None
    if request.method == "POST" and form.is_valid():
        provider, secret = connect_provider(acting_user=request.user, now=now, **form.cleaned_data)
        shown = {
            "label": PROVIDERS[provider.name].label,
            "url": webhook_url(request, PROVIDERS[provider.name].proof, secret),
            "is_smtp": provider.name == "smtp",
        }
        form = ProviderForm()
    context = {
        "form": form,
        "shown": shown,
        "delivery": delivery(now),
        "doubtful": [
            {"email": email, "title": title_of(email), "why": reason_words(email.last_error)}
            for email in doubtful_mails()
        ],
        "providers": [
            {"row": row, "label": PROVIDERS[row.name].label} for row in MailProvider.objects.order_by("pk")
        ],
        "now": now,
    }
    return render(request, "settings/mail_delivery.html", context, status=422 if form.errors else 200)


def webhook_url(request: WorkspaceRequest, proof: str, secret: str) -> str:
    """The address to paste at the provider; the password stands in it where it is the proof."""
    base = urlsplit(settings.BASE_URL)
    path = reverse("accounts:mail_webhook", args=[request.membership.workspace.public_id])
    password = f"{USER}:{secret}@" if proof == "password" else ""
    return f"{base.scheme}://{password}{base.netloc}{path}"


@require_POST
@requires("settings.manage")
def mail_provider_disconnection(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    provider = get_object_or_404(MailProvider, public_id=public_id)
    disconnect_provider(provider=provider, acting_user=request.user)
    messages.success(request, gettext("Reports of this provider are no longer taken."))
    return redirect("accounts:mail_delivery")


@require_POST
@requires("settings.manage")
def doubtful_mail(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """`choice`: "again" or "leave"."""
    email = get_object_or_404(OutboundEmail, public_id=public_id)
    if request.POST.get("choice") == "again":
        done = send_again(email=email, acting_user=request.user)
        words = gettext("The mail is queued again.")
    else:
        done = leave(email=email, acting_user=request.user, now=timezone.now())
        words = gettext("Left as it is.")
    if done:
        messages.success(request, words)
    else:
        messages.info(request, gettext("Somebody has decided about this mail already."))
    return redirect("accounts:mail_delivery")


@requires("settings.manage")
def suppression_list(request: WorkspaceRequest) -> HttpResponse:
    """Addresses that get nothing, or nothing optional; a POST adds one by hand."""
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        suppress(
            form.cleaned_data["address"],
            reason=Reason.MANUAL,
            is_total=form.cleaned_data["is_total"],
            note=form.cleaned_data["note"],
            acting_user=request.user,
            now=timezone.now(),
        )
        messages.success(request, gettext("The address is on the list; mails that wait for it will not go."))
        return redirect("accounts:suppressions")
    asked, reason = request.GET.get("q", "").strip(), request.GET.get("reason", "")
    reason = reason if reason in Reason.values else ""
    rows = suppressions(reason=reason, address_hash=address_hash(asked) if asked else None)
    if request.GET.get("format") == "csv":
        return _csv(rows)
    page = suppression_page(rows, request.GET.get("after", ""))
    query = urlencode({"q": asked, "reason": reason, "after": page.next_cursor})
    context = {
        "form": form,
        "rows": page.rows,
        "next_url": f"?{query}" if page.next_cursor else "",
        "asked": asked,
        "reason": reason,
        "reasons": [("", gettext("All reasons")), *Reason.choices],
        "now": timezone.now(),
    }
    return render(request, "settings/suppressions.html", context, status=422 if form.errors else 200)


def _csv(rows: object) -> HttpResponse:
    headers = ["address", "reason", "category", "stops_everything", "until", "note", "created_at"]
    cells = (
        [row.address, row.reason, row.category, row.is_total, row.until, row.note, row.created_at.isoformat()]
        for row in rows  # type: ignore[attr-defined]
    )
    response = HttpResponse(csv_text(headers, cells), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="suppressed-addresses.csv"'
    return response


@require_POST
@requires("settings.manage")
def suppression_removal(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    row = get_object_or_404(EmailSuppression, public_id=public_id)
    lift(suppression=row, acting_user=request.user)
    messages.success(request, gettext("Mails may go to this address again."))
    return redirect("accounts:suppressions")
