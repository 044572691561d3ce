"""Verbs of everything that is drafted, published and rolled back (`VersionModel`).

The caller checks a definition before it is published, and adds what follows from it (jobs).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext

from accounts.models import User
from accounts.models.versions import VersionModel
from accounts.services.audit import audit

V = TypeVar("V", bound=VersionModel)


def versions_of(model: type[V], parent: Any) -> QuerySet[V]:
    return model.objects.filter(**{model.PARENT: parent})


def newest_published(model: type[V], parent: Any) -> V | None:
    """The version in force, or None before the first publication."""
    rows = versions_of(model, parent).filter(published_at__isnull=False)
    return rows.order_by("-number").first()


def draft_of(model: type[V], parent: Any) -> V | None:
    return versions_of(model, parent).filter(published_at__isnull=True).first()


@transaction.atomic
def save_draft(model: type[V], *, parent: Any, definition: Mapping[str, Any], acting_user: User | None) -> V:
    """Keep what was typed, mistakes included, as the parent's one draft."""
    _lock(parent)
    draft = draft_of(model, parent)
    if draft is None:
        draft = model(**{model.PARENT: parent}, number=_next_number(model, parent), created_by=acting_user)
    draft.definition = dict(definition)
    draft.save()
    return draft


@transaction.atomic
def discard_draft(model: type[V], *, parent: Any, acting_user: User | None) -> None:
    versions_of(model, parent).filter(published_at__isnull=True).delete()
    audit(f"{_noun(parent)}.draft_discarded", acting_user=acting_user, target=parent)


@transaction.atomic
def publish(
    model: type[V],
    *,
    parent: Any,
    definition: Mapping[str, Any],
    note: str,
    acting_user: User | None,
    now: datetime,
) -> V:
    """Put a checked definition in force, as the next version."""
    draft = save_draft(model, parent=parent, definition=definition, acting_user=acting_user)
    draft.note, draft.published_at, draft.published_by = note, now, acting_user
    draft.save()
    audit(f"{_noun(parent)}.published", acting_user=acting_user, target=draft, number=draft.number)
    return draft


@transaction.atomic
def roll_back(*, version: V, acting_user: User | None, now: datetime) -> V:
    """Publish an older version's definition again, as a new version; a draft is kept aside of it."""
    model, parent = type(version), version.parent
    _lock(parent)
    draft, number = draft_of(model, parent), _next_number(model, parent)
    if draft is not None:  # numbers follow the order of publication
        draft.number = number + 1
        draft.save(update_fields=["number"])
    restored = model.objects.create(
        **{model.PARENT: parent},
        number=number,
        definition=version.definition,
        note=gettext("Same as version %(n)d") % {"n": version.number},
        created_by=acting_user,
        published_at=now,
        published_by=acting_user,
    )
    audit(f"{_noun(parent)}.rolled_back", acting_user=acting_user, target=restored, to=version.number)
    return restored


def _lock(parent: Any) -> None:
    type(parent).objects.select_for_update().get(pk=parent.pk)


def _noun(parent: Any) -> str:
    return f"{parent._meta.app_label}.{parent._meta.model_name}"


def _next_number(model: type[V], parent: Any) -> int:
    published = versions_of(model, parent).filter(published_at__isnull=False)
    return (published.aggregate(top=Max("number"))["top"] or 0) + 1
