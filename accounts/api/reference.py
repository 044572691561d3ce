"""The OpenAPI description as a page shows it: operations by subject, fields in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

Schema = Mapping[str, Any]


def coded(text: str) -> SafeString:
    """Words with `names` between backticks, as HTML."""
    parts = enumerate(text.split("`"))
    return format_html_join("", "{}{}{}", ((_TAGS[at % 2][0], part, _TAGS[at % 2][1]) for at, part in parts))


_TAGS = ((SafeString(""), SafeString("")), (SafeString("<code>"), SafeString("</code>")))


@dataclass(frozen=True, slots=True)
class FieldWords:
    """A parameter or a field: its kind in words ("text, at most 200"), and what it means."""

    name: str
    kind: str
    is_required: bool
    description: SafeString


@dataclass(frozen=True, slots=True)
class OperationWords:
    """One operation. `call` is a line for a terminal; `answer` the fields of its success."""

    anchor: str
    method: str
    path: str
    summary: str
    description: SafeString
    scope: str
    parameters: tuple[FieldWords, ...]
    body: tuple[FieldWords, ...]
    answer: tuple[FieldWords, ...]
    is_list: bool
    statuses: tuple[tuple[str, SafeString], ...]
    call: str


def groups(schema: Schema, base_url: str) -> list[tuple[str, list[OperationWords]]]:
    """Operations by subject, in the order of the description."""
    found: dict[str, list[OperationWords]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            words = _operation(schema, path, method.upper(), operation, base_url)
            found.setdefault(operation["tags"][0], []).append(words)
    return [(tag.capitalize(), operations) for tag, operations in found.items()]


def _operation(schema: Schema, path: str, method: str, operation: Schema, base_url: str) -> OperationWords:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    answer = _answer(schema, operation)
    is_list = "results" in answer.get("properties", {})
    if is_list:
        answer = _resolved(schema, answer["properties"]["results"]["items"])
    return OperationWords(
        anchor=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        description=coded(operation["description"]),
        scope=operation["x-scope"],
        parameters=tuple(_parameters(schema, operation)),
        body=tuple(_fields(schema, _resolved(schema, body.get("schema", {})))),
        answer=tuple(_fields(schema, answer)),
        is_list=is_list,
        statuses=tuple((s, coded(r["description"])) for s, r in sorted(_statuses(operation))),
        call=_call(method, f"{base_url}{path}", body.get("example")),
    )


def _statuses(operation: Schema) -> list[tuple[str, Schema]]:
    return [(str(status), response) for status, response in operation["responses"].items()]


def _answer(schema: Schema, operation: Schema) -> Schema:
    for status, response in _statuses(operation):
        if status.startswith("2"):
            return _resolved(schema, response["content"]["application/json"]["schema"])
    return {}


def _parameters(schema: Schema, operation: Schema) -> Iterator[FieldWords]:
    for row in operation.get("parameters", ()):
        kind = _kind(schema, row["schema"]).removesuffix(" or null")
        kind += ", header" if row["in"] == "header" else ""
        yield FieldWords(row["name"], kind, row.get("required", False), coded(row.get("description", "")))


def _fields(schema: Schema, of: Schema) -> Iterator[FieldWords]:
    required = of.get("required", ())
    for name, field in of.get("properties", {}).items():
        yield FieldWords(name, _kind(schema, field), name in required, coded(field.get("description", "")))


def _resolved(schema: Schema, field: Schema) -> Schema:
    if "$ref" in field:
        found: Schema = schema["components"]["schemas"][field["$ref"].rpartition("/")[2]]
        return found
    return field


def _kind(schema: Schema, field: Schema) -> str:
    field = _resolved(schema, field)
    if "anyOf" in field:
        kinds = [_kind(schema, part) for part in field["anyOf"] if part.get("type") != "null"]
        null = " or null" if any(part.get("type") == "null" for part in field["anyOf"]) else ""
        return " or ".join(dict.fromkeys(kinds)) + null
    if "enum" in field:
        return ", ".join(f"“{value}”" for value in field["enum"])
    if "const" in field:
        return f"“{field['const']}”"
    if field.get("type") == "array":
        items = _resolved(schema, field["items"])
        names = ", ".join(items.get("properties", {}))
        return f"list of {{{names}}}" if names else f"list of {_kind(schema, items)}"
    return _plain(field)


def _plain(field: Schema) -> str:
    kind = {"string": "text", "object": "object", "boolean": "true or false"}.get(
        field.get("type", ""), field.get("type", "any value")
    )
    kind = field.get("format", kind)
    limits = []
    if "maxLength" in field:
        limits.append(f"at most {field['maxLength']} characters")
    if "minimum" in field and "maximum" in field:
        limits.append(f"{field['minimum']} to {field['maximum']}")
    if "default" in field and field["default"] not in (None, "", {}):
        limits.append(f"default {json.dumps(field['default'])}")
    return ", ".join([kind, *limits])


def _call(method: str, address: str, example: Any) -> str:
    lines = ["curl -H 'Authorization: Bearer KEY'"]
    if method != "GET":
        lines.append(f"  -X {method}")
    if example is not None:
        text = json.dumps(example, ensure_ascii=False, indent=2).replace("'", "'\\''")
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{text}'"]
    return " \\\n".join([*lines, f"  '{address}'"])
