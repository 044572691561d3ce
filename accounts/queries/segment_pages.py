"""The segment pages: the list, one segment with its members and its past, what a rule would do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from accounts.models import Account, Segment, SegmentMembership, SegmentVersion
from accounts.queries.segments import account_ids_in
from accounts.segments import Tree, TreeError, all_fields, describe_tree, parse_tree
from accounts.segments.fields import Moment, SegmentField
from cs_platform.lib.among import among

NAMES_SHOWN = 30
SAMPLE = 8
HISTORY_DAYS = 90
RECENT_DAYS = 7
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment of the list. `rule` is the published one in words, "" before the first; `entered` and `left`
    count the last 7 days."""

    segment: Segment
    rule: str
    is_unreadable: bool
    has_draft: bool
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Match:
    """How many accounts a rule finds, of how many, and a few by name. `ids` are all of them."""

    accounts: int
    total: int
    sample: list[Account]
    ids: set[int]


@dataclass(frozen=True, slots=True)
class Effect:
    """What publishing would do to a segment; names are at most 30 each."""

    entering: int
    leaving: int
    entering_names: list[Account]
    leaving_names: list[Account]


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of a segment's past: how many came, went, and were in it at its end."""

    day: date
    entered: int
    left: int
    members: int


@dataclass(frozen=True, slots=True)
class MembersPage:
    rows: list[SegmentMembership]
    next_after: str


def segment_rows(*, currency: str, now: datetime) -> list[SegmentRow]:
    """All segments by name, in a fixed number of queries."""
    fields = all_fields(cached=True)
    published = SegmentVersion.objects.filter(published_at__isnull=False).order_by("segment_id", "-number")
    newest = {version.segment_id: version for version in published.distinct("segment_id")}
    drafts = set(
        SegmentVersion.objects.filter(published_at__isnull=True).values_list("segment_id", flat=True)
    )
    since = now - timedelta(days=RECENT_DAYS)
    recent = SegmentMembership.objects.filter(Q(entered_at__gte=since) | Q(left_at__gte=since))
    moves = recent.values_list("segment_id").annotate(
        entered=Count("pk", filter=Q(entered_at__gte=since)), left=Count("pk", filter=Q(left_at__gte=since))
    )
    counts = {segment_id: (entered, left) for segment_id, entered, left in moves}
    rows = []
    for segment in Segment.objects.order_by("name", "pk"):
        version = newest.get(segment.pk)
        rule = rule_in_words(version.definition, fields, currency) if version else ""
        entered, left = counts.get(segment.pk, (0, 0))
        rows.append(SegmentRow(segment, rule or "", rule is None, segment.pk in drafts, entered, left))
    return rows


def rule_in_words(definition: Any, fields: dict[str, SegmentField], currency: str) -> str | None:
    """The stored rule as a line; None where it can no longer be read."""
    try:
        return describe_tree(parse_tree(definition, fields=fields), currency=currency)
    except TreeError:
        return None


def match_of(tree: Tree, *, now: datetime) -> Match:
    ids = account_ids_in(tree, now=now)
    return Match(len(ids), Account.objects.count(), _named(ids, SAMPLE), ids)


def effect_of(segment: Segment, matching: set[int]) -> Effect:
    """Who would enter and leave if these accounts matched, against the members as they stand."""
    stays = SegmentMembership.objects.filter(segment=segment, left_at__isnull=True)
    inside = set(stays.values_list("account_id", flat=True))
    entering, leaving = matching - inside, inside - matching
    return Effect(len(entering), len(leaving), _named(entering, NAMES_SHOWN), _named(leaving, NAMES_SHOWN))


def _named(account_ids: set[int], most: int) -> list[Account]:
    if not account_ids:
        return []
    return list(Account.objects.filter(among("pk", account_ids)).order_by("name", "pk")[:most])


def members_page(segment: Segment, *, view: str, after: str = "", size: int = PAGE_SIZE) -> MembersPage:
    """`view` "members" (by name), "entered" or "left" (newest first). `after` is a stay's id of the page before."""
    stays = SegmentMembership.objects.filter(segment=segment).select_related("account")
    last = stays.filter(pk=int(after)).first() if after.isdecimal() and len(after) < 19 else None
    if view == "members":
        stays = stays.filter(left_at__isnull=True).order_by("account__name", "pk")
        if last:
            name = last.account.name
            stays = stays.filter(Q(account__name__gt=name) | Q(account__name=name, pk__gt=last.pk))
    else:
        column = "left_at" if view == "left" else "entered_at"
        stays = stays.filter(**{f"{column}__isnull": False}).order_by(f"-{column}", "-pk")
        if last and getattr(last, column):
            when = getattr(last, column)
            stays = stays.filter(Q(**{f"{column}__lt": when}) | Q(**{column: when, "pk__lt": last.pk}))
    rows = list(stays[: size + 1])
    return MembersPage(rows[:size], str(rows[size - 1].pk) if len(rows) > size else "")


def history_of(segment: Segment, *, moment: Moment) -> list[Day]:
    """The last 90 local days, oldest first; two queries."""
    first = moment.today - timedelta(days=HISTORY_DAYS - 1)
    start = moment.starts(first)
    came = _per_day(segment, "entered_at", start, moment)
    went = _per_day(segment, "left_at", start, moment)
    members = segment.members
    found = []
    for back in range(HISTORY_DAYS):
        day = moment.today - timedelta(days=back)
        found.append(Day(day, came[day], went[day], members))
        members += went[day] - came[day]
    return found[::-1]


def _per_day(segment: Segment, column: str, start: datetime, moment: Moment) -> Counter[date]:
    rows = SegmentMembership.objects.filter(segment=segment, **{f"{column}__gte": start})
    days = rows.annotate(day=TruncDate(column, tzinfo=moment.zone)).values_list("day").annotate(n=Count("pk"))
    return Counter(dict(days))
