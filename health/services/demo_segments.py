"""Segments, a card of their own and assignment rules for a simulated business, with the past that its scores tell."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Membership, Role, Segment, SegmentMembership
from accounts.segments import parse_tree
from accounts.services import segments
from cs_platform.lib.periods import day_start
from health.models import HealthBand, HealthScore, Scorecard, ScorecardVersion
from health.services import assignment, cards, scorecards

Tree = dict[str, Any]


def _rule(field: str, op: str, value: Any = None) -> Tree:
    return {"field": field, "op": op} if value is None else {"field": field, "op": op, "value": value}


ENTERPRISE, NEW, WEAK = "Enterprise", "New customers", "At risk"
SEGMENTS: tuple[tuple[str, str, Tree], ...] = (
    (
        ENTERPRISE,
        "Large contracts, with a CSM of their own.",
        {"all": [_rule("is_customer", "yes"), _rule("arr_minor", "gte", 4_000_000)]},
    ),
    (NEW, "The first 90 days and trials.", _rule("lifecycle", "any_of", ["trial", "onboarding"])),
    (
        "Renewal in danger",
        "A term ends soon, and the signs are bad.",
        {
            "all": [
                _rule("lifecycle", "any_of", ["renewing"]),
                {"any": [_rule("health_score", "lt", 60), _rule("health_change", "lte", -5)]},
            ]
        },
    ),
    (
        WEAK,
        "Customers whose score is red.",
        {"all": [_rule("is_customer", "yes"), _rule("health_band", "any_of", [HealthBand.RED.value])]},
    ),
)


def create_demo_segments(*, now: datetime, as_of: date) -> int:
    """Write them in the running scope, once; returns the segments made.

    Before a night: it scores by the new card and hands out who has no CSM.
    """
    if Segment.objects.exists():
        return 0
    made = {name: _segment(name, text, tree, now) for name, text, tree in SEGMENTS}
    _past_of_scores(made[WEAK], as_of)
    _card_of_new_customers(made[NEW], now)
    _rules(made[ENTERPRISE])
    return len(made)


def _segment(name: str, text: str, tree: Tree, now: datetime) -> Segment:
    segment = segments.create_segment(name=name, description=text, acting_user=None, now=now)
    segments.publish_segment(segment=segment, definition=tree, acting_user=None, now=now)
    return segment


def _past_of_scores(segment: Segment, as_of: date) -> None:
    """Who was red when, by the stored scores: the stays that the segment would have written."""
    zone = segment.workspace.zone
    days = list(HealthScore.objects.order_by("as_of").values_list("as_of", flat=True).distinct())
    open_since: dict[int, date] = {}
    stays = []
    for day in days:
        red = set(
            HealthScore.objects.filter(as_of=day, band=HealthBand.RED).values_list("account_id", flat=True)
        )
        for account_id in set(open_since) - red:
            came, went = day_start(open_since.pop(account_id), zone), day_start(day, zone)
            stays.append(
                SegmentMembership(segment=segment, account_id=account_id, entered_at=came, left_at=went)
            )
        open_since |= {account_id: day for account_id in red if account_id not in open_since}
    SegmentMembership.objects.bulk_create(stays, batch_size=1000)
    for stay in SegmentMembership.objects.filter(segment=segment, left_at__isnull=True):
        if came_on := open_since.get(stay.account_id):
            stay.entered_at = min(stay.entered_at, day_start(came_on, zone))
            stay.save(update_fields=["entered_at"])


def _card_of_new_customers(segment: Segment, now: datetime) -> None:
    """New customers cannot yet be judged by a quarter of use: their card asks for the first steps."""
    default = Scorecard.objects.filter(segment__isnull=True, retired_at__isnull=True).first()
    version = scorecards.newest_published(default) if default else None
    if version is None:
        return
    card = cards.add_card(name=segment.name, segment=segment, copy_of=version, acting_user=None, now=now)
    dropped = ("usage_change_28", "ticket_satisfaction_180")
    measures = [dict(m) for m in version.definition["measures"] if m["metric"] not in dropped]
    for measure in measures:
        if measure["metric"] in ("key_features_adopted", "licence_utilisation"):
            measure["weight"] *= 1.5
    definition = {**version.definition, "measures": measures}
    names = {measure["metric"] for measure in measures}
    definition["exceptions"] = [e for e in definition.get("exceptions", []) if e["metric"] in names]
    ScorecardVersion.objects.filter(scorecard=card).update(
        definition=definition, published_at=now - timedelta(minutes=1), note="For the first 90 days"
    )


def _rules(enterprise: Segment) -> None:
    csms = list(Membership.objects.filter(role=Role.CSM, is_active=True).order_by("pk"))
    if len(csms) < 2:
        return
    in_enterprise = parse_tree(_rule("segment", "any_of", [str(enterprise.public_id)]))
    for name, tree, pool in (("Enterprise", in_enterprise, csms[:2]), ("Everybody else", None, csms)):
        assignment.save_rule(rule=None, name=name, tree=tree, pool=pool, is_enabled=True, acting_user=None)
    capacities = {csm.pk: 80 if at < 2 else 100 for at, csm in enumerate(csms)}
    assignment.save_policy(
        high_value_arr_minor=4_000_000, is_nightly=True, capacities=capacities, acting_user=None
    )
