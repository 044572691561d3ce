"""Event intake over HTTP, in the Segment tracking protocol. An answer of 200 means: durable.

Plain views: this is the one place where microseconds per event count. Bodies are never logged.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import public
from accounts.api.problems import Problem, problem_response
from health.intake import limits
from health.intake.body import Malformed, TooLarge, parsed, unpacked
from health.intake.pace import Pace
from health.intake.protocol import KINDS, envelope
from health.intake.rows import BadField, Rejection
from health.services.intake import Read, accept, read_messages
from health.services.intake_refusals import note_bad_key, note_refusal, note_rejections
from health.services.write_keys import WriteKeys

_keys = WriteKeys()


def _endpoint(kind: str | None) -> Callable[..., HttpResponseBase]:
    @csrf_exempt
    @require_POST
    @public
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return _answer(request, kind)
        except Problem as problem:
            return _refusal(problem)
        except (OperationalError, InterfaceError):
            return _refusal(Problem(503, "unavailable", "The database is not reachable. Send it again."))

    view.__name__ = kind or "batch"
    return view


batch = _endpoint(None)
single = {kind: _endpoint(kind) for kind in KINDS}


def _answer(request: HttpRequest, kind: str | None) -> HttpResponse:
    _refuse_by_length(request)
    workspace_id = _authenticate(request, kind or "batch")
    try:
        return _taken(request, kind, workspace_id)
    except Problem as problem:
        status, endpoint = problem.status, kind or "batch"
        if errors := problem.extra.get("errors"):
            rejected = [Rejection(row.get("index", 0), row["field"], row["reason"]) for row in errors]
            note_rejections(workspace_id, status=status, endpoint=endpoint, rejected=rejected)
        else:
            note_refusal(workspace_id, status=status, endpoint=endpoint, reason=problem.detail)
        raise


def _taken(request: HttpRequest, kind: str | None, workspace_id: int) -> HttpResponse:
    read = _read(request, kind)
    if read.messages and len(read.rejected) == read.messages:
        errors = _listed(read.rejected)
        raise Problem(422, "invalid", "Nothing could be accepted; see errors.", errors=errors)
    if read.rejected:
        note_rejections(workspace_id, status=200, endpoint=kind or "batch", rejected=read.rejected)
    wait = _pace().wait(workspace_id, len(read.facts), time.monotonic())
    if wait:
        raise Problem(429, "too_many_events", f"Too many events. Try again in {wait} s.", retry_after=wait)
    duplicates = accept(workspace_id, read.facts, received_at=read.received_at)
    if kind is not None:
        return JsonResponse({"success": True})
    return JsonResponse(
        {
            "success": True,
            "accepted": read.messages - len(read.rejected),
            "duplicates": duplicates,
            "rejected": _listed(read.rejected),
        }
    )


def _refuse_by_length(request: HttpRequest) -> None:
    """Before a byte of the body is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limits.BATCH_BYTES:
        raise Problem(413, "too_large", f"The body is larger than {limits.BATCH_BYTES // 1024} KB.")


def _authenticate(request: HttpRequest, endpoint: str) -> int:
    key = _write_key(request.headers.get("Authorization", ""))
    workspace_id = _keys.workspace_id(key, time.monotonic()) if key else None
    if workspace_id is None:
        note_bad_key(key, endpoint=endpoint)
        raise Problem(401, "unauthorized", "Send a valid write key as the user name of basic authentication.")
    return workspace_id


def _write_key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _read(request: HttpRequest, kind: str | None) -> Read:
    received_at = timezone.now()
    try:
        data = unpacked(
            request.read(limits.BATCH_BYTES + 1), request.headers.get("Content-Encoding", "").lower()
        )
        body = parsed(data)
        messages = [body] if kind else _messages(body)
        about = envelope({} if kind else body, received_at)
        read = read_messages(messages, kind, about, may_exceed=len(data) > limits.EVENT_BYTES)
    except Malformed as problem:
        raise Problem(400, "malformed", f"The body cannot be read: {problem}.") from None
    except TooLarge as problem:
        raise Problem(413, "too_large", f"Too large: {problem}.") from None
    except BadField as problem:
        errors = [{"field": problem.field, "reason": problem.reason}]
        raise Problem(422, "invalid", "The body cannot be accepted; see errors.", errors=errors) from None
    if kind and read.rejected and read.rejected[0].reason.startswith("is larger"):
        raise Problem(413, "too_large", f"The event is larger than {limits.EVENT_BYTES // 1024} KB.")
    return read


def _messages(body: dict[str, Any]) -> Sequence[Any]:
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise BadField("batch", "must be a list of messages")
    if len(messages) > limits.BATCH_EVENTS:
        raise TooLarge(f"the batch has more than {limits.BATCH_EVENTS} messages")
    return messages


@cache
def _pace() -> Pace:
    return Pace(settings.INTAKE_EVENTS_PER_SECOND)


def _listed(rejected: Sequence[Rejection]) -> list[dict[str, Any]]:
    return [{"index": row.index, "field": row.field, "reason": row.reason} for row in rejected]


def _refusal(problem: Problem) -> HttpResponse:
    """Problem details, and `message` for clients that look for Segment's own field."""
    retry_after = problem.extra.pop("retry_after", None)
    problem.extra["message"] = problem.detail
    response = problem_response(problem)
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="write key"'
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response
