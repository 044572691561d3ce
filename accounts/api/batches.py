"""Many rows of one kind in one request: what is wrong with one row is said of that row, and the others are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from django.utils import timezone
from ninja import Schema
from ninja.responses import Status
from pydantic import Field, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from accounts.api.problems import ErrorSchema, errors_of
from accounts.api.types import Body
from accounts.services.upserts import Given, RowRefused, upsert_rows

MOST_ROWS = 500


class ReadLater:
    """Described as `model`, but taken as it is: each row is judged by itself."""

    def __init__(self, model: type[Body]) -> None:
        self.model = model

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)


def rows_of(model: type[Body]) -> Any:
    """The type of a batch's `rows`."""
    return Annotated[list[Annotated[Any, ReadLater(model)]], Field(min_length=1, max_length=MOST_ROWS)]


class RowOut(Schema):
    """What became of one row; in the order of the request."""

    external_id: str | None
    ok: bool
    errors: list[ErrorSchema] = Field(description="why it was not written; empty if it was")


class BatchOut(Schema):
    """The counts add up to the number of rows."""

    created: int
    updated: int
    unchanged: int
    refused: int
    results: list[RowOut]


def upsert_batch(
    kind: str, model: type[Body], rows: Sequence[Any], given: Callable[[Any], Given]
) -> Status[Any]:
    """Judge each row as the single `PUT` would, then write those that are right, in one go."""
    errors: dict[int, list[ErrorSchema]] = {}
    right: list[tuple[int, Given]] = []
    for line, row in enumerate(rows):
        try:
            right.append((line, given(model.model_validate(row))))
        except ValidationError as error:
            errors[line] = [ErrorSchema(**found) for found in errors_of(error.errors())]
    done = upsert_rows(kind=kind, rows=[row for _, row in right], now=timezone.now())
    for at, refused in done.refused.items():
        errors[right[at][0]] = [_error(refused)]
    results = [
        {"external_id": _name(row), "ok": line not in errors, "errors": errors.get(line, [])}
        for line, row in enumerate(rows)
    ]
    counts = {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}
    return Status(200, counts | {"refused": len(errors), "results": results})


def _error(refused: RowRefused) -> ErrorSchema:
    return ErrorSchema(field=refused.field, code=refused.code, message=refused.message)


def _name(row: Any) -> str | None:
    name = row.get("external_id") if isinstance(row, dict) else None
    return name if isinstance(name, str) else None
