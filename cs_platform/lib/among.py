"""`column = ANY(array)`: one parameter where `IN` would have as many as there are ids, which costs more than the look-up."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, F, Func, Value


def among(column: str, ids: Iterable[int]) -> Func:
    """A condition for `filter`: the column is one of the ids."""
    numbers = [int(number) for number in ids]
    array = Value(numbers, output_field=ArrayField(BigIntegerField()))
    return Func(
        F(column), array, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()
    )
