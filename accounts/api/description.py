"""The OpenAPI description, completed: what holds for every operation is said once, here."""

from __future__ import annotations

from typing import Any

from ninja.openapi.schema import OpenAPISchema

from accounts.api.examples import EXAMPLES
from accounts.api.problems import MEDIA_TYPE

ABOUT = """Accounts with their scores, risks and the queue; contacts, subscriptions, tickets and invoices.

- Keys: `Authorization: Bearer <key>`. A read key reads, a write key also writes.
- Names: in paths, ids are our `public_id`; in bodies and filters, `account` and the like are your own `external_id`.
- Writing: `PUT` on a list creates or updates the row with the `external_id` in its body; `POST …/batch/` up to 500.
- Empty: `null` empties a field that may be null; a field that is left out stays as it is.
- Pages: follow `next` until it is null. Rows that come or go meanwhile neither repeat nor hide others.
- Safe repetition: send `Idempotency-Key` with POST and PUT; for 24 hours the same request has its effect once.
- Errors are RFC 9457 problems: `code` is stable, `detail` is for people, `errors` names each wrong value.
- Limits: `RateLimit-*` on every answer; 429 comes with `Retry-After`."""

_WORDS = {
    "400": "The body is no JSON.",
    "401": "No valid API key.",
    "403": "The key's scope does not include this.",
    "404": "There is nothing with this id.",
    "409": "The same is being changed at this moment; try again.",
    "413": "The body is larger than 256 KB, a batch than 1 MB.",
    "422": "A value is not valid; see `errors`.",
    "429": "The key asked too often; wait `Retry-After` seconds.",
    "503": "The database is not reachable; try again.",
}
_PACE = {
    "RateLimit-Limit": "requests at once",
    "RateLimit-Remaining": "requests left now",
    "RateLimit-Reset": "seconds until all are there again",
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of your own for this request, such as a random UUID. Sent again within 24 hours, the "
    "request is answered as before (`Idempotency-Replayed: true`) and has no second effect; with another body: 422.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def complete(schema: OpenAPISchema) -> OpenAPISchema:
    """Problems with their media type, limits, idempotency keys and examples, on every operation."""
    for item in schema["paths"].values():
        for method, operation in item.items():
            operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
            operation["x-scope"] = "read" if method == "get" else "write"
            if method in ("post", "put"):
                operation.setdefault("parameters", []).append(_IDEMPOTENCY)
            for status, response in operation["responses"].items():
                _complete_response(str(status), response)
            _add_examples(operation)
    for named in schema["components"]["schemas"].values():
        _drop_false_defaults(named)
    schema["components"]["securitySchemes"]["BearerKey"]["description"] = (
        "read_… or write_… from Settings, API keys"
    )
    return schema


def _drop_false_defaults(schema: dict[str, Any]) -> None:
    """A field that may be left out but not be null has no default that one could send."""
    for field in schema.get("properties", {}).values():
        kinds = [part.get("type") for part in field.get("anyOf", [field])]
        if "default" in field and field["default"] is None and "null" not in kinds:
            del field["default"]


def _complete_response(status: str, response: dict[str, Any]) -> None:
    response["description"] = _WORDS.get(status, "Done." if status != "201" else "Created.")
    content = response.get("content", {})
    if status in _WORDS and "application/json" in content:
        content[MEDIA_TYPE] = content.pop("application/json")
    if status not in ("401", "503"):
        response["headers"] = {
            name: {"description": words, "schema": {"type": "integer"}} for name, words in _PACE.items()
        }
    if status == "429":
        response["headers"]["Retry-After"] = {"description": "seconds", "schema": {"type": "integer"}}


def _add_examples(operation: dict[str, Any]) -> None:
    example = EXAMPLES.get(operation["operationId"])
    content = operation.get("requestBody", {}).get("content", {})
    if example and "application/json" in content:
        content["application/json"]["example"] = example
