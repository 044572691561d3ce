"""Where Stripe delivers its messages."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import public
from accounts.gateways.stripe.events import BadSignature
from accounts.models import Workspace
from accounts.services.billing_inbox import note_unproven, receive
from accounts.tasks import nudge
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

LARGEST = 1024 * 1024


@public
@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest, workspace: UUID) -> HttpResponseBase:
    """200 once the message is stored, and nothing else was done. 400 for a bad proof and for an unknown workspace
    alike, 413 for too much."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return HttpResponse(status=413)
    header = request.headers.get("Stripe-Signature", "")
    found = Workspace.objects.filter(public_id=workspace).first()
    try:
        with workspace_scope(found.pk if found else 0):
            stored = receive(body=request.body, header=header, now=timezone.now()) if found else None
    except BadSignature as error:
        log.info("billing.message_refused", reason=error.reason)
        stored = None
        if found:
            with workspace_scope(found.pk):
                note_unproven(error.reason, now=timezone.now())
    if stored is None:
        return HttpResponse(status=400)
    nudge()
    return HttpResponse()
