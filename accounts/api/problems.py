"""Errors as RFC 9457 problem details: what happened and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

MEDIA_TYPE = "application/problem+json"
MOST_BYTES = 256 * 1024
MOST_BYTES_OF_BATCH = 1024 * 1024
# Names of our own parameters, which the caller never wrote.
_WRAPPERS = frozenset({"body", "filters"})


class Problem(Exception):
    """An answer other than success; `code` is stable, `detail` is for a person, `headers` go with it."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.extra = status, code, detail, extra
        self.headers = headers or {}


class ErrorSchema(Schema):
    """One thing that is wrong; `field` is its place in what was sent."""

    field: str
    message: str
    code: str = "invalid"


class ProblemSchema(Schema):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[ErrorSchema] | None = None


def _problems(*statuses: int) -> dict[int, type[Schema]]:
    return dict.fromkeys(statuses, ProblemSchema)


# What an operation may answer besides success.
READS = _problems(401, 403, 422, 429, 503)
READS_ONE = _problems(404) | READS
WRITES = _problems(400, 409, 413) | READS
WRITES_ONE = _problems(404) | WRITES


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
    for name, value in problem.headers.items():
        response[name] = value
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
    handle(RequestDataTooBig, lambda exc: too_large(MOST_BYTES))
    handle(DataError, lambda exc: Problem(422, "invalid", "A value cannot be stored as it is."))
    handle(
        IntegrityError,
        lambda exc: Problem(
            409,
            "conflict",
            "Somebody changed the same at this moment. Try again.",
            headers={"Retry-After": "1"},
        ),
    )
    for gone in (OperationalError, InterfaceError):
        handle(gone, lambda exc: Problem(503, "unavailable", "The database is not reachable. Try again."))


def too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The body is larger than {limit // 1024} KB.")


def invalid(field: str, code: str, message: str) -> Problem:
    """One value that is wrong by what is known here."""
    errors = [{"field": field, "message": message, "code": code}]
    return Problem(422, "invalid", "Some values are not valid; see errors.", errors=errors)


def errors_of(found: Sequence[Any]) -> list[dict[str, str]]:
    """What pydantic found, in our words."""
    return [
        {
            "field": ".".join(str(part) for part in row["loc"]),
            "message": row["msg"].removeprefix("Value error, "),
            "code": row["type"],
        }
        for row in found
    ]


def _validation(error: ValidationError) -> Problem:
    places = [[part for part in row["loc"][1:] if part not in _WRAPPERS] for row in error.errors]
    errors = errors_of([row | {"loc": place} for row, place in zip(error.errors, places, strict=True)])
    return Problem(422, "invalid", "Some values are not valid; see errors.", errors=errors)


def no_such_page(request: HttpRequest) -> HttpResponse:
    return problem_response(Problem(404, "not_found", "There is no such endpoint."))


def no_such_method(allowed: str) -> HttpResponse:
    return problem_response(
        Problem(405, "method_not_allowed", f"Here there is {allowed} only.", headers={"Allow": allowed})
    )
