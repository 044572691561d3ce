"""A tree as a condition over Account. Only Django's Q over registered columns; no text ever becomes SQL."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q

from accounts.segments.fields import NEGATIONS, FieldKind, Moment, SegmentField, days_between
from accounts.segments.tree import Group, Rule, Tree

EPOCH = date(1970, 1, 1)


def condition_of(tree: Tree, moment: Moment) -> Q:
    """What `Account.objects.filter` needs to find the accounts that match."""
    return _node(tree.root, moment)


def _node(node: Group | Rule, moment: Moment) -> Q:
    if isinstance(node, Rule):
        return _rule(node, moment)
    found = Q()
    for child in node.children:
        found = found & _node(child, moment) if node.joiner == "all" else found | _node(child, moment)
    return found


def _rule(rule: Rule, moment: Moment) -> Q:
    field, op = rule.field, rule.operator.name
    if field.kind == FieldKind.BOOLEAN and op == "no" and not field.optional:
        return _none_of(field, _placed(field, _yes(field), moment))
    positive = _positive(field, NEGATIONS.get(op, op), rule.value, moment)
    placed = _placed(field, positive, moment)
    return _none_of(field, placed) if op in NEGATIONS else placed


def _none_of(field: SegmentField, condition: Q) -> Q:
    """The accounts without it, those too that have no value. Said in full: after an inner AND over the same join
    Django's own negation forgets the rows that are not there."""
    if field.rows is not None:
        return ~condition
    return ~condition | Q(**{f"{field.column}__isnull": True})


def _placed(field: SegmentField, condition: Q, moment: Moment) -> Q:
    """The condition where the column is: on the account, or on rows that point to it."""
    if field.rows is None:
        return condition
    return Q(pk__in=field.rows(moment).filter(condition).values("account_id"))


def _positive(field: SegmentField, op: str, value: Any, moment: Moment) -> Q:
    column = field.column
    if op == "set":
        known = Q(**{f"{column}__isnull": False})
        return known & ~Q(**{column: ""}) if _is_text(field) else known
    if op in ("yes", "no"):
        return _yes(field) if op == "yes" else _no(field)
    if field.kind == FieldKind.DATE:
        low, high = days_between(op, value, moment.today)
        found = Q() if low is None else Q(**{f"{column}__gte": _day(field, low, moment)})
        return found if high is None else found & Q(**{f"{column}__lt": _day(field, high, moment)})
    if op == "between":
        least, most = (_scaled(field, part) for part in value)
        return Q(**{f"{column}__gte": least, f"{column}__lte": most})
    if op == "any_of":
        return Q(**{f"{column}__in": value})
    if op == "contains":
        return Q(**{f"{column}__icontains": value})
    return Q(**{column if op == "eq" else f"{column}__{op}": _scaled(field, value)})


def _is_text(field: SegmentField) -> bool:
    return field.kind in (FieldKind.TEXT, FieldKind.CHOICE) and not field.column.endswith("public_id")


def _yes(field: SegmentField) -> Q:
    if field.rows is not None and not field.optional:
        return Q(account_id__isnull=False)
    return Q(**{field.column: True if field.rows is None else 1})


def _no(field: SegmentField) -> Q:
    return Q(**{field.column: False if field.rows is None else 0})


def _scaled(field: SegmentField, value: float) -> float:
    return value if field.scale == 1 else value * field.scale


def _day(field: SegmentField, day: date, moment: Moment) -> Any:
    if field.stored_as == "epoch_days":
        return (day - EPOCH).days
    return day if field.stored_as == "date" else moment.starts(day)
