"""Errors as RFC 9457 problem details: what happened and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer other than success; `code` is stable, `detail` is for a person."""

    def __init__(self, status: int, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.extra = status, code, detail, extra


class ProblemSchema(Schema):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, Any]] | None = None


def problem_response(problem: Problem) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        **problem.extra,
    }
    response = JsonResponse(body, status=problem.status, content_type=MEDIA_TYPE)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


def install(api: NinjaAPI) -> None:
    """Answer every error of the API as a problem."""

    def handle(error: type[Exception], make: Any) -> None:
        api.add_exception_handler(error, lambda request, exc: problem_response(make(exc)))

    handle(Problem, lambda exc: exc)
    handle(Http404, lambda exc: Problem(404, "not_found", "There is nothing here."))
    handle(
        AuthenticationError, lambda exc: Problem(401, "unauthorized", "Send a valid API key as bearer token.")
    )
    handle(ValidationError, _validation)
    handle(HttpError, lambda exc: Problem(exc.status_code, "error", str(exc)))
    for gone in (OperationalError, InterfaceError):
        handle(gone, lambda exc: Problem(503, "unavailable", "The database is not reachable. Try again."))


def _validation(error: ValidationError) -> Problem:
    errors = [{"field": ".".join(map(str, row["loc"][1:])), "message": row["msg"]} for row in error.errors]
    return Problem(422, "invalid", "Some values are not valid; see errors.", errors=errors)


def no_such_page(request: HttpRequest) -> HttpResponse:
    return problem_response(Problem(404, "not_found", "There is no such endpoint."))
