"""Settings of outgoing webhooks: endpoints, their secret, their log."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.webhooks import EndpointForm
from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.queries import webhooks as queries
from accounts.registry import webhook_events
from accounts.services import webhooks as service
from accounts.tasks import nudge


def _endpoint(public_id: UUID) -> WebhookEndpoint:
    return get_object_or_404(WebhookEndpoint, public_id=public_id, deleted_at__isnull=True)


@require_GET
@requires("settings.manage")
def webhooks(request: WorkspaceRequest) -> HttpResponse:
    context = {"rows": queries.endpoints(timezone.now()), "events": list(webhook_events)}
    return render(request, "settings/webhooks.html", context)


@requires("settings.manage")
def new_webhook(request: WorkspaceRequest) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    if not form.is_valid():
        return render(
            request, "settings/webhook_form.html", {"form": form}, status=422 if form.errors else 200
        )
    endpoint = service.add_endpoint(acting_user=request.user, now=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("Added. Send a test to see whether it answers."))
    return redirect("accounts:webhook", public_id=endpoint.public_id)


@require_GET
@requires("settings.manage")
def webhook(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    endpoint, before, now = _endpoint(public_id), request.GET.get("before", ""), timezone.now()
    rows = queries.deliveries(
        endpoint,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=queries.PAGE + 1,
    )
    context = {
        "endpoint": endpoint,
        "hears_of": queries.hears_of(endpoint),
        "rows": rows[: queries.PAGE],
        "older": rows[queries.PAGE - 1].id if len(rows) > queries.PAGE else None,
        "rotating": endpoint.previous_until is not None and endpoint.previous_until > now,
    }
    return render(request, "settings/webhook.html", context)


@requires("settings.manage")
def webhook_change(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    endpoint = _endpoint(public_id)
    initial = {"url": endpoint.url, "description": endpoint.description, "event_types": endpoint.event_types}
    form = EndpointForm(request.POST or None, initial=initial)
    if not form.is_valid():
        context = {"form": form, "endpoint": endpoint}
        return render(request, "settings/webhook_form.html", context, status=422 if form.errors else 200)
    service.change_endpoint(endpoint=endpoint, acting_user=request.user, **form.cleaned_data)
    messages.success(request, gettext("Saved."))
    return redirect("accounts:webhook", public_id=public_id)


@require_POST
@requires("settings.manage")
def webhook_tests(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    endpoint = _endpoint(public_id)
    if endpoint.disabled_at is None:
        service.send_test(endpoint=endpoint, acting_user=request.user, now=timezone.now())
        nudge()
        messages.success(request, gettext("The test is on its way; its answer appears in the log below."))
    return redirect("accounts:webhook", public_id=public_id)


@require_POST
@requires("settings.manage")
def webhook_switch(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    endpoint, enabled = _endpoint(public_id), bool(request.POST.get("enabled"))
    service.set_enabled(endpoint=endpoint, enabled=enabled, acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("Switched on.") if enabled else gettext("Switched off."))
    return redirect("accounts:webhook", public_id=public_id)


@require_POST
@requires("settings.manage")
def webhook_rotation(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    service.rotate_secret(endpoint=_endpoint(public_id), acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("New secret. For a day messages carry both signatures."))
    return redirect("accounts:webhook", public_id=public_id)


@require_POST
@requires("settings.manage")
def webhook_deletion(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    service.delete_endpoint(endpoint=_endpoint(public_id), acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("Endpoint deleted."))
    return redirect("accounts:webhooks")


@require_POST
@requires("settings.manage")
def webhook_replay(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Send one message again."""
    delivery = get_object_or_404(
        WebhookDelivery.objects.select_related("endpoint"),
        public_id=public_id,
        endpoint__deleted_at__isnull=True,
    )
    service.replay(delivery=delivery, acting_user=request.user, now=timezone.now())
    nudge()
    messages.success(request, gettext("On its way again."))
    return redirect("accounts:webhook", public_id=delivery.endpoint.public_id)
