"""Endpoints that change something: once per idempotency key, the answer together with the effect."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Schema
from ninja.responses import Status

from accounts.api.problems import Problem, invalid
from accounts.api.security import needs, pace_headers
from accounts.services.api_answers import Asked, InProgress, OtherRequest, answered_before, keep_answer
from accounts.services.upserts import RowRefused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_NAME = re.compile(r"[\x21-\x7e]{1,255}")


def writes(answer: type[Schema]) -> Callable[[Callable[..., Status[Any]]], Callable[..., Any]]:
    """For endpoints that return `Status(code, row)`: run in one transaction, answered as `answer`."""

    def decorate(endpoint: Callable[..., Status[Any]]) -> Callable[..., Any]:
        @needs("write")
        @functools.wraps(endpoint)
        def written(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            asked = _asked(request)
            if asked and (replay := _replay(request, asked)):
                return replay
            try:
                result = endpoint(request, *args, **kwargs)
            except RowRefused as refused:
                raise invalid(refused.field, refused.code, refused.message) from None
            row = answer.model_validate(result.value).model_dump(mode="json")
            body = json.dumps(row, cls=DjangoJSONEncoder)
            if asked:
                keep_answer(asked, status=result.status_code, body=body, now=timezone.now())
            return _response(request, result.status_code, body)

        written.api_answer = answer  # type: ignore[attr-defined]
        return written

    return decorate


def _asked(request: HttpRequest) -> Asked | None:
    name = request.headers.get(HEADER)
    if name is None:
        return None
    if not _NAME.fullmatch(name):
        raise invalid(HEADER, "invalid_idempotency_key", "1 to 255 printable ASCII characters without spaces")
    return Asked(
        key=request.auth,  # type: ignore[attr-defined]
        name=name,
        method=request.method or "",
        address=request.get_full_path(),
        body=request.body,
    )


def _replay(request: HttpRequest, asked: Asked) -> HttpResponse | None:
    try:
        kept = answered_before(asked, now=timezone.now())
    except InProgress:
        raise Problem(
            409,
            "in_progress",
            "A request with this idempotency key is running. Try again in a second.",
            headers={"Retry-After": "1"},
        ) from None
    except OtherRequest:
        raise Problem(
            422,
            "idempotency_key_reused",
            "This idempotency key was used for another request. Take a new one.",
        ) from None
    if kept is None:
        return None
    response = _response(request, kept.status, kept.body)
    response[REPLAYED] = "true"
    return response


def _response(request: HttpRequest, status: int, body: str) -> HttpResponse:
    headers = pace_headers(request)
    return HttpResponse(body, status=status, content_type="application/json; charset=utf-8", headers=headers)
