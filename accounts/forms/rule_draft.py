"""A rule as it is being typed: half-done, with its mistakes, from and to a form's inputs.

Inputs of a builder called "tree": `tree` (one per node, "<path>:<kind>" in the order of the page), then per
path `tree.<path>.joiner`, or `.field`, `.op` and `.value` (several for lists and pairs); `tree.act` is a button
that changes the rule itself. Paths are "r", "r.0", "r.0.1"; removed nodes are simply not there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.segments.fields import FieldKind, Form, Operator, SegmentField
from accounts.segments.parsing import MOST_LEVELS, MOST_RULES
from cs_platform.lib.money import NotMoney, to_major, to_minor

ROOT = "r"
KEPT = 300  # characters kept of one value
GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
Fields = Mapping[str, SegmentField]


@dataclass
class Node:
    """A group (`children`, `joiner`) or a condition (`field`, `op`, `values` as typed)."""

    joiner: str = ""
    children: list[Node] = dataclasses.field(default_factory=list)
    field: str = ""
    op: str = ""
    values: list[str] = dataclasses.field(default_factory=list)
    error: str = ""
    is_new: bool = False

    @property
    def is_group(self) -> bool:
        return bool(self.joiner)

    @property
    def is_blank(self) -> bool:
        return not self.is_group and not self.field

    def walk(self, path: str = "") -> Iterator[tuple[str, Node]]:
        """Every node with its path as `Problem.path` writes it."""
        yield path, self
        for at, child in enumerate(self.children):
            yield from child.walk(f"{path}.{at}" if path else str(at))


@dataclass
class Draft:
    """The whole rule as typed. `acted`: a button changed the rule, so nothing was meant to be saved."""

    root: Node
    acted: bool = False

    @property
    def is_blank(self) -> bool:
        return all(node.is_group or node.is_blank for _path, node in self.root.walk())


def new_draft() -> Draft:
    return Draft(Node(joiner="all", children=[Node(is_new=True)]))


def draft_of_tree(tree: Any, fields: Fields, currency: str) -> Draft:
    """A stored rule (JSON, also one that can no longer be read) as inputs."""
    node = _of_json(tree, fields, currency)
    return Draft(node if node.is_group else Node(joiner="all", children=[node]))


def _of_json(data: Any, fields: Fields, currency: str, level: int = 1) -> Node:
    if not isinstance(data, dict) or level > MOST_LEVELS + 1:
        return Node()
    joiner = next((name for name in ("all", "any") if isinstance(data.get(name), list)), "")
    if joiner:
        return Node(joiner, [_of_json(child, fields, currency, level + 1) for child in data[joiner]])
    known = fields.get(str(data.get("field", "")))
    value = data.get("value")
    values = [] if value is None else value if isinstance(value, list) else [value]
    return Node(
        field=str(data.get("field", "")),
        op=str(data.get("op", "")),
        values=[_text(part, known, currency) for part in values],
    )


def _text(value: Any, known: SegmentField | None, currency: str) -> str:
    if known is not None and known.kind == FieldKind.MONEY and isinstance(value, int):
        major = to_major(value, currency)
        return str(int(major) if major == int(major) else major)
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def read_draft(data: Any, name: str) -> Draft | None:
    """The builder's inputs, and what its buttons do to them; None where the form has no such builder."""
    listed = data.getlist(name) if hasattr(data, "getlist") else []
    nodes: dict[str, Node] = {}
    for entry in listed[: 4 * MOST_RULES]:
        path, _colon, kind = entry.partition(":")
        parent = nodes.get(path.rpartition(".")[0])
        node = _read_node(data, f"{name}.{path}", kind)
        if path == ROOT or (parent is not None and parent.is_group):
            nodes[path] = node
            if path != ROOT and parent is not None:
                parent.children.append(node)
    root = nodes.get(ROOT)
    if root is None or not root.is_group:
        return None
    draft = Draft(root)
    if act := data.get(f"{name}.act", ""):
        draft.acted = True
        _do(act, root, nodes)
    return draft


def _read_node(data: Any, prefix: str, kind: str) -> Node:
    if kind == "group":
        joiner = data.get(f"{prefix}.joiner", "all")
        return Node(joiner=joiner if joiner in ("all", "any") else "all")
    return Node(
        field=data.get(f"{prefix}.field", "")[:KEPT],
        op=data.get(f"{prefix}.op", "")[:KEPT],
        values=[value[:KEPT] for value in data.getlist(f"{prefix}.value")],
    )


def _do(act: str, root: Node, nodes: dict[str, Node]) -> None:
    verb, _colon, path = act.partition(":")
    node = nodes.get(path)
    if node is None:
        return
    if verb == "add" and node.is_group:
        node.children.append(Node(is_new=True))
    elif verb == "group" and node.is_group:
        node.children.append(Node(joiner="any", children=[Node(is_new=True)]))
    elif verb == "drop" and path != ROOT:
        parent = nodes[path.rpartition(".")[0]]
        parent.children = [child for child in parent.children if child is not node]
        if not root.children:
            root.children.append(Node(is_new=True))


def settle(draft: Draft, fields: Fields) -> None:
    """After another field or comparison was chosen: the first comparison it has, and no value of the old kind."""
    for _path, node in draft.root.walk():
        known = fields.get(node.field)
        if node.is_group or known is None:
            continue
        operator = known.operator(node.op) or known.operators[0]
        if operator.name != node.op:
            node.op = operator.name
            node.values = []
        if operator.form == Form.NOTHING:
            node.values = []


def as_json(draft: Draft, fields: Fields, currency: str) -> dict[str, Any]:
    """The rule for `parse_tree`: numbers where they can be read, else the text, so that the mistake is named."""
    return _node_json(draft.root, fields, currency)


def _node_json(node: Node, fields: Fields, currency: str) -> dict[str, Any]:
    if node.is_group:
        return {node.joiner: [_node_json(child, fields, currency) for child in node.children]}
    found: dict[str, Any] = {"field": node.field, "op": node.op}
    known = fields.get(node.field)
    operator = known.operator(node.op) if known else None
    if known is None or operator is None:
        return found
    value = _value(node.values, known, operator, currency)
    return found if value is None else found | {"value": value}


def _value(values: list[str], known: SegmentField, operator: Operator, currency: str) -> Any:
    form = operator.form
    if form == Form.NOTHING:
        return None
    if form == Form.LIST:
        if known.kind == FieldKind.TEXT:
            values = [part for value in values for part in re.split(r"[,\n]", value)]
        return [value.strip() for value in values if value.strip()]
    if form == Form.PAIR:
        return [_number(value, known, currency) for value in values]
    first = values[0] if values else ""
    if form == Form.NUMBER:
        return _number(first, known, currency)
    return _number(first, None, currency) if form == Form.DAYS else first.strip()


def _number(text: str, known: SegmentField | None, currency: str) -> Any:
    """A typed number, "50,000" and "0,5" included; money in minor units. What is none stays the text."""
    plain = text.strip().replace(" ", "").replace("\u00a0", "")
    plain = plain.replace(",", "") if GROUPED.fullmatch(plain) else plain.replace(",", ".")
    try:
        if known is not None and known.kind == FieldKind.MONEY:
            return to_minor(plain, currency)
        number = Decimal(plain)
    except (InvalidOperation, NotMoney):
        return text
    if not number.is_finite() or abs(number) > 10**16:
        return text
    return int(number) if number == int(number) else float(number)
