"""A rule that was read without a mistake. Only `parse_tree` makes one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.segments.fields import Operator, SegmentField


@dataclass(frozen=True)
class Rule:
    """One comparison. `value` has the form that the operator asks for."""

    field: SegmentField
    operator: Operator
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"field": self.field.name, "op": self.operator.name}
        return found if self.value is None else found | {"value": self.value}


@dataclass(frozen=True)
class Group:
    """`joiner` is "all" or "any"; never empty."""

    joiner: str
    children: tuple[Group | Rule, ...]

    def as_json(self) -> dict[str, Any]:
        return {self.joiner: [child.as_json() for child in self.children]}


@dataclass(frozen=True)
class Tree:
    """The whole rule. Bound to the workspace whose fields it was read with."""

    root: Group | Rule

    def as_json(self) -> dict[str, Any]:
        return self.root.as_json()

    def rules(self) -> Iterator[Rule]:
        yield from _rules(self.root)

    @property
    def from_score(self) -> bool:
        """Whether it depends on the health score."""
        return any(rule.field.from_score for rule in self.rules())


def _rules(node: Group | Rule) -> Iterator[Rule]:
    if isinstance(node, Rule):
        yield node
        return
    for child in node.children:
        yield from _rules(child)
