"""Where mail providers and mail servers report bounces and complaints."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import public
from accounts.models import Workspace
from accounts.services.mail_reports import receive
from accounts.tasks import nudge
from cs_platform.lib.scoping import workspace_scope

LARGEST = 2 * 1024 * 1024


@public
@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def mail_webhook(request: HttpRequest, workspace: UUID) -> HttpResponseBase:
    """200 once the report is stored. 400 for a bad proof and for an unknown workspace alike, 413 for too much."""
    if request.method == "HEAD":  # some providers look whether anybody is there
        return HttpResponse()
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return HttpResponse(status=413)
    found = Workspace.objects.filter(public_id=workspace).first()
    with workspace_scope(found.pk if found else 0):
        stored = receive(request=request, now=timezone.now()) if found else None
    if stored is None:
        return HttpResponse(status=400)
    nudge()
    return HttpResponse()
