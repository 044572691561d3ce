"""The same rules in plain Python over an account's values: the slow way that the query must agree with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from accounts.segments.conditions import EPOCH
from accounts.segments.fields import NEGATIONS, FieldKind, Moment, SegmentField, days_between
from accounts.segments.tree import Group, Rule, Tree

Values = Mapping[str, Sequence[Any]]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gte": lambda value, limit: value >= limit,
    "lte": lambda value, limit: value <= limit,
    "gt": lambda value, limit: value > limit,
    "lt": lambda value, limit: value < limit,
    "eq": lambda value, limit: value == limit,
}


def holds(tree: Tree, values: Values, moment: Moment) -> bool:
    """Whether an account with these values matches. `values`: field name to the column's values, one per row."""
    return _node(tree.root, values, moment)


def _node(node: Group | Rule, values: Values, moment: Moment) -> bool:
    if isinstance(node, Rule):
        return _rule(node, values.get(node.field.name, ()), moment)
    found = (_node(child, values, moment) for child in node.children)
    return all(found) if node.joiner == "all" else any(found)


def _rule(rule: Rule, values: Sequence[Any], moment: Moment) -> bool:
    field, op = rule.field, rule.operator.name
    known = [value for value in values if value is not None]
    if field.kind == FieldKind.BOOLEAN and op in ("yes", "no") and not field.optional:
        is_yes = bool(known) if field.rows is not None else any(known)
        return is_yes is (op == "yes")
    positive = any(_matches(field, NEGATIONS.get(op, op), value, rule.value, moment) for value in known)
    return positive is not (op in NEGATIONS)


def _matches(field: SegmentField, op: str, value: Any, wanted: Any, moment: Moment) -> bool:
    if op == "set":
        return bool(value != "")
    if op in ("yes", "no"):
        return bool(value) is (op == "yes")
    if field.kind == FieldKind.DATE:
        low, high = days_between(op, wanted, moment.today)
        day = local_day_of(value, moment)
        return (low is None or day >= low) and (high is None or day < high)
    if op == "between":
        return bool(wanted[0] * field.scale <= value <= wanted[1] * field.scale)
    if op == "any_of":
        return str(value) in wanted
    if op == "contains":
        return wanted.upper() in str(value).upper()
    return COMPARE[op](value, wanted * field.scale)


def local_day_of(value: Any, moment: Moment) -> date:
    """A stored date as the workspace's local day."""
    if isinstance(value, datetime):
        return value.astimezone(moment.zone).date()
    return value if isinstance(value, date) else EPOCH + timedelta(days=int(value))
