"""How every table stands to persons: declared per text field, so that export and erasure miss nothing.

A test holds the declarations against the models: a new text field that nobody classified fails it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models.base import WorkspaceModel
from cs_platform.lib.registry import Registry

_TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)


class DataClass(StrEnum):
    """What a field may hold."""

    PERSON = "person"  # about the person a row belongs to: exported, and emptied by an erasure
    FREE_TEXT = "free_text"  # somebody's own words or brought-along data: a person may be named in it
    STAFF = "staff"  # about the workspace's own people
    BUSINESS = "business"  # about the customer company or the workspace
    CODE = "code"  # names, codes and digests that the product made
    SECRET = "secret"  # never exported


@dataclass(frozen=True)
class Person:
    """Everything by which the workspace knows a contact. `tombstone` is the random name that replaces them all."""

    contact_id: int
    account_id: int
    name: str
    keys: frozenset[str]
    emails: frozenset[str]
    tombstone: str = ""

    def needles(self) -> list[str]:
        """What names the person beyond doubt in a text: addresses, full names, and keys that are no plain number."""
        long_keys = {key for key in self.keys if len(key) >= 5 and not key.isdecimal()}
        full_name = {self.name} if len(self.name) >= 5 and " " in self.name.strip() else set()
        return sorted({*self.emails, *long_keys, *full_name} - {""}, key=len, reverse=True)


@dataclass(frozen=True)
class TableData:
    """One table: the class of each text field, which rows are about a person, what erasure writes there.

    Fields with choices are codes by themselves. `of` finds the person's rows; `erase` returns the
    values that replace theirs, None deletes the rows. `legal_basis` says why rows stay as they are.
    """

    name: str
    person: tuple[str, ...] = ()
    free_text: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()
    business: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    of: Callable[[Person], Q] | None = None
    erase: Callable[[Person], Mapping[str, Any] | None] | None = None
    legal_basis: str = ""

    @property
    def model(self) -> type[WorkspaceModel]:
        model: type[WorkspaceModel] = apps.get_model(self.name)
        return model

    def classes(self) -> dict[str, DataClass]:
        """Field name to class."""
        return {name: data for data in DataClass for name in getattr(self, data.value)}


@dataclass(frozen=True)
class PersonKeys:
    """Another place that knows keys of a person: `find(contact)` returns them."""

    name: str
    find: Callable[[Any], set[str]]


personal_data: Registry[TableData] = Registry("personal data", TableData)
person_keys: Registry[PersonKeys] = Registry("person keys", PersonKeys)


def text_fields(model: type[models.Model]) -> list[str]:
    """Fields that could hold a word about somebody: texts, JSON, bytes and lists of texts, but no choices."""
    return [
        f.name
        for f in model._meta.concrete_fields
        if not f.choices
        and (
            isinstance(f, _TEXTS)
            or (isinstance(f, ArrayField) and isinstance(f.base_field, models.CharField))
        )
    ]


def table(name: str, **fields: Any) -> TableData:
    """A declaration with the field names as one string per class, registered at once."""
    classes = {data.value for data in DataClass}
    words: dict[str, Any] = {
        key: tuple(value.split()) if key in classes else value for key, value in fields.items()
    }
    return personal_data.register(TableData(name, **words))
