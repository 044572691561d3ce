"""Segments: made, published, rolled back, deleted; and the rows that say who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from accounts.models import Segment, SegmentMembership, SegmentVersion, User
from accounts.queries.segment_uses import uses_of
from accounts.queries.segments import account_ids_in
from accounts.segments import TreeError, parse_tree
from accounts.segments.tree import Tree
from accounts.services import versions
from accounts.services.audit import audit
from accounts.signals import segment_changed
from cs_platform.lib.bulk import upsert

log = structlog.get_logger("accounts.segments")

# A segment's own rule may not ask for segments: the order in which they are written would decide.
NOT_IN_SEGMENTS = frozenset({"segments"})


@dataclass(frozen=True)
class Moved:
    """How many accounts entered and left."""

    entered: int
    left: int


class SegmentInUse(RuntimeError):
    """Something still asks for the segment; `uses` says what, in words."""

    def __init__(self, uses: list[str]) -> None:
        self.uses = uses
        super().__init__(", ".join(uses))


class ScoreDecidesItself(ValueError):
    """A scorecard uses the segment, so its rule may not depend on the score."""


def read_rule(definition: Any) -> Tree:
    """A segment's rule. Raises TreeError."""
    return parse_tree(definition, without=NOT_IN_SEGMENTS)


def newest_published(segment: Segment) -> SegmentVersion | None:
    return versions.newest_published(SegmentVersion, segment)


def draft_of(segment: Segment) -> SegmentVersion | None:
    return versions.draft_of(SegmentVersion, segment)


@transaction.atomic
def create_segment(*, name: str, description: str = "", acting_user: User | None, now: datetime) -> Segment:
    """A segment without a rule; nobody is in it until one is published."""
    segment: Segment = Segment.objects.create(name=name, description=description, created_by=acting_user)
    audit("accounts.segment.created", acting_user=acting_user, target=segment)
    return segment


@transaction.atomic
def rename_segment(*, segment: Segment, name: str, description: str, acting_user: User | None) -> None:
    if (segment.name, segment.description) == (name, description):
        return
    segment.name, segment.description = name, description
    segment.save(update_fields=["name", "description"])
    audit("accounts.segment.renamed", acting_user=acting_user, target=segment)


def save_draft(
    *, segment: Segment, definition: Mapping[str, Any], acting_user: User | None
) -> SegmentVersion:
    """Keep what was typed, mistakes included, as the segment's one draft."""
    return versions.save_draft(SegmentVersion, parent=segment, definition=definition, acting_user=acting_user)


def discard_draft(*, segment: Segment, acting_user: User | None) -> None:
    versions.discard_draft(SegmentVersion, parent=segment, acting_user=acting_user)


@transaction.atomic
def publish_segment(
    *,
    segment: Segment,
    definition: Mapping[str, Any],
    note: str = "",
    acting_user: User | None,
    now: datetime,
) -> tuple[SegmentVersion, Moved]:
    """Put a rule in force and write who is in at once. Raises TreeError or ScoreDecidesItself; then nothing changed."""
    tree = read_rule(definition)
    _refuse_circle(segment, tree)
    version = versions.publish(
        SegmentVersion,
        parent=segment,
        definition=tree.as_json(),
        note=note,
        acting_user=acting_user,
        now=now,
    )
    return version, _put_in_force(segment, tree, now)


@transaction.atomic
def roll_back_segment(
    *, version: SegmentVersion, acting_user: User | None, now: datetime
) -> tuple[SegmentVersion, Moved]:
    """Publish an older rule again, as a new version. Raises as `publish_segment` does."""
    tree = read_rule(version.definition)
    _refuse_circle(version.segment, tree)
    restored = versions.roll_back(version=version, acting_user=acting_user, now=now)
    return restored, _put_in_force(version.segment, tree, now)


@transaction.atomic
def delete_segment(*, segment: Segment, acting_user: User | None) -> None:
    """Remove the segment with its history. Raises SegmentInUse."""
    if uses := uses_of(segment):
        raise SegmentInUse([use.words for use in uses])
    audit("accounts.segment.deleted", acting_user=acting_user, target=segment)
    segment.delete()


@transaction.atomic
def sync_segment(*, segment: Segment, tree: Tree, now: datetime) -> Moved:
    """Close the stays of those who no longer match, open stays for those who do now. Idempotent."""
    Segment.objects.select_for_update().get(pk=segment.pk)
    matching = account_ids_in(tree, now=now)
    stays = SegmentMembership.objects.filter(segment=segment, left_at__isnull=True)
    inside = dict(stays.values_list("account_id", "pk"))
    over = [stay for account_id, stay in inside.items() if account_id not in matching]
    left = SegmentMembership.objects.filter(pk__in=over).update(left_at=Greatest(Value(now), F("entered_at")))
    entered = upsert(
        SegmentMembership._meta.db_table,
        ("segment_id", "account_id", "entered_at"),
        ((segment.pk, account_id, now) for account_id in sorted(matching - inside.keys())),
        key=("segment_id", "account_id"),
        update=(),
        where="left_at IS NULL",
    )
    Segment.objects.filter(pk=segment.pk).update(members=stays.count(), refreshed_at=now)
    return Moved(entered, left)


def refresh_segments(*, now: datetime) -> int:
    """Write the membership of every published segment; returns the stays opened and closed.

    A rule that can no longer be read (a trait is gone) keeps its members as they are and is named in the log.
    """
    moved = 0
    for segment in Segment.objects.order_by("pk"):
        version = newest_published(segment)
        if version is None:
            continue
        try:
            tree = read_rule(version.definition)
        except TreeError as error:
            log.warning("accounts.segments.unreadable", segment=segment.pk, problems=len(error.problems))
            continue
        found = sync_segment(segment=segment, tree=tree, now=now)
        moved += found.entered + found.left
    return moved


def _put_in_force(segment: Segment, tree: Tree, now: datetime) -> Moved:
    moved = sync_segment(segment=segment, tree=tree, now=now)
    segment_changed.send(segment.pk)
    return moved


def _refuse_circle(segment: Segment, tree: Tree) -> None:
    if tree.from_score and any(use.decides_score for use in uses_of(segment)):
        raise ScoreDecidesItself
