"""The workspace's fields by name."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import accounts.registry as registry  # by name at call time: the registry itself imports this room
from accounts.segments.fields import SegmentField


def all_fields(*, cached: bool = False) -> dict[str, SegmentField]:
    """Registered fields and those that the workspace's own rows add, in order of registration.

    `cached`: each list of choices is read at most once, for a page that shows many rules.
    """
    found = {field.name: field for field in registry.segment_fields}
    for family in registry.segment_field_families:
        found |= {field.name: field for field in family.expand()}
    if cached:
        return {name: replace(f, choices=f.choices and cache(f.choices)) for name, f in found.items()}
    return found


def find_field(name: str) -> SegmentField | None:
    """One field, or None. Asks the database only for a name of a family."""
    if name in registry.segment_fields:
        return registry.segment_fields.get(name)
    prefix, colon, _key = name.partition(":")
    if not colon or prefix not in registry.segment_field_families:
        return None
    fields = registry.segment_field_families.get(prefix).expand()
    return next((field for field in fields if field.name == name), None)
