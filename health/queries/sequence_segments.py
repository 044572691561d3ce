"""Which playbooks stand on a segment."""

from __future__ import annotations

from django.db.models import F, Max
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import Segment
from accounts.queries.segment_uses import asks_for
from accounts.registry import SegmentUse
from health.models import SequenceVersion


def playbooks_of(segment: Segment) -> list[SegmentUse]:
    """Playbooks whose newest version (a draft counts) begins by the segment or asks for it."""
    versions = SequenceVersion.objects.filter(sequence__archived_at__isnull=True)
    newest = versions.annotate(top=Max("sequence__versions__number")).filter(number=F("top"))
    return [
        SegmentUse(
            gettext("Playbook “%(name)s”") % {"name": version.sequence.name},
            reverse("health:playbook", args=[version.sequence.public_id]),
        )
        for version in newest.select_related("sequence").order_by("sequence__name")
        if _begins_by(version.definition, segment) or asks_for(version.definition, segment)
    ]


def _begins_by(definition: dict[str, object], segment: Segment) -> bool:
    trigger = definition.get("trigger")
    return isinstance(trigger, dict) and trigger.get("segment") == str(segment.public_id)
