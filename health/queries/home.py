"""The first page: what needs somebody today, and how the whole stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, Sum, Value
from django.db.models.functions import Floor, Least

from accounts.models import Membership, Subscription
from health.models import AccountState, HealthBand, HealthScore, ModelVersion, NightRun, QueueEntry, RunStatus
from health.queries.queue import QueueRow, queue_page
from health.queries.queue_filter import QueueFilter

HISTOGRAM_BINS = 20
MOVEMENT_WEEKS = 8
TOP_ROWS = 8


@dataclass(frozen=True, slots=True)
class BandTotal:
    """Customers of one band; "" = no score. Money in minor units of the report currency, a year."""

    band: str
    accounts: int
    arr_minor: int
    loss_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    bands: tuple[BandTotal, ...]

    @property
    def accounts(self) -> int:
        return sum(band.accounts for band in self.bands)

    @property
    def arr_minor(self) -> int:
        return sum(band.arr_minor for band in self.bands)

    @property
    def loss_minor(self) -> int:
        return sum(band.loss_minor for band in self.bands)

    @property
    def at_risk_minor(self) -> int:
        """ARR of red accounts."""
        return sum(band.arr_minor for band in self.bands if band.band == HealthBand.RED)

    @property
    def red(self) -> int:
        return sum(band.accounts for band in self.bands if band.band == HealthBand.RED)


@dataclass(frozen=True, slots=True)
class CsmLoad:
    """The open queue of one CSM (None = nobody's)."""

    csm: Membership | None
    accounts: int
    loss_minor: int

    @property
    def link(self) -> str:
        """The value of the queue's `csm` filter."""
        return str(self.csm.public_id) if self.csm else "none"


def totals(csm: Membership | None = None) -> Totals:
    """Customers by band, of one CSM or of all; one query."""
    rows = AccountState.objects.filter(is_customer=True)
    if csm is not None:
        rows = rows.filter(csm=csm)
    grouped = rows.values_list("health_band").annotate(
        Count("id"), Sum("arr_minor"), Sum("expected_loss_minor")
    )
    return _totals(BandTotal(*row) for row in grouped)


def _totals(parts: Iterable[BandTotal]) -> Totals:
    """Parts of the same band are summed."""
    found = {band: BandTotal(band, 0, 0, 0) for band in (*HealthBand.values, "")}
    for part in parts:
        had = found[part.band]
        found[part.band] = BandTotal(
            part.band,
            had.accounts + part.accounts,
            had.arr_minor + part.arr_minor,
            had.loss_minor + part.loss_minor,
        )
    return Totals(tuple(found.values()))


def standing(bins: int = HISTOGRAM_BINS) -> tuple[Totals, list[int]]:
    """`totals()` and `histogram()` of all customers; one query."""
    rows = AccountState.objects.filter(is_customer=True).annotate(bin=Floor(F("health_score") * bins / 100.0))
    grouped = rows.values_list("health_band", "bin").annotate(
        Count("id"), Sum("arr_minor"), Sum("expected_loss_minor")
    )
    parts, heights = [], [0] * bins
    for band, at, *figures in grouped:
        parts.append(BandTotal(band, *figures))
        if at is not None:
            heights[min(int(at), bins - 1)] += figures[0]
    return _totals(parts), heights


def queue_by_csm(today: date) -> list[CsmLoad]:
    """Awake accounts of the queue by CSM, most expected loss first; two queries."""
    awake = QueueEntry.objects.filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today))
    rows = list(
        awake.values("csm_id").annotate(n=Count("id"), loss=Sum("expected_loss_minor")).order_by("-loss")
    )
    people = Membership.objects.select_related("user").in_bulk(
        [row["csm_id"] for row in rows if row["csm_id"]]
    )
    return [CsmLoad(people.get(row["csm_id"]), row["n"], row["loss"]) for row in rows]


def whole_queue(loads: list[CsmLoad]) -> CsmLoad:
    """The sum of all CSMs' queues, and of nobody's."""
    return CsmLoad(None, sum(load.accounts for load in loads), sum(load.loss_minor for load in loads))


def top_of_queue(membership: Membership, *, csm: str, today: date) -> list[QueueRow]:
    """The first rows of the queue."""
    return queue_page(QueueFilter(csm=csm), membership=membership, today=today, size=TOP_ROWS).rows


def renewals_ahead(membership: Membership, *, now: date, days: int = 30) -> int:
    """Customers of the CSM that renew within `days`."""
    rows = AccountState.objects.filter(csm=membership, is_customer=True, renews_at__date__gte=now)
    return int(rows.filter(renews_at__date__lt=now + timedelta(days=days)).count())


def histogram(bins: int = HISTOGRAM_BINS) -> list[int]:
    """Customers by health score in equal steps; a score of 100 falls into the last."""
    step = 100 / bins
    rows = AccountState.objects.filter(is_customer=True, health_score__isnull=False)
    grouped = (
        rows.annotate(bin=Least(Floor(F("health_score") / step), Value(bins - 1.0)))
        .values("bin")
        .annotate(n=Count("id"))
    )
    found = {int(row["bin"]): row["n"] for row in grouped}
    return [found.get(i, 0) for i in range(bins)]


def band_movement(as_of: date | None, *, weeks: int = MOVEMENT_WEEKS) -> list[tuple[date, dict[str, int]]]:
    """Customers of the time by band, week by week up to `as_of`; weeks without a night are left out."""
    if as_of is None:
        return []
    wanted = [as_of - timedelta(weeks=back) for back in range(weeks, -1, -1)]
    running = Subscription.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__date__gte=OuterRef("as_of")),
        account_id=OuterRef("account_id"),
        started_at__date__lt=OuterRef("as_of"),
    )
    scores = HealthScore.objects.filter(Exists(running), as_of__in=wanted)
    rows = scores.values("as_of", "band").annotate(n=Count("id"))
    found: dict[date, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["as_of"], {})[row["band"]] = row["n"]
    return [(day, found[day]) for day in wanted if day in found]


def last_night() -> NightRun | None:
    """The newest nightly run, whatever became of it."""
    found: NightRun | None = NightRun.objects.order_by("-as_of").first()
    return found


def last_done_as_of(newest: NightRun | None = None) -> date | None:
    """The day of the newest finished night; `newest` is the newest of all, where it is known already."""
    if newest is not None and newest.status == RunStatus.DONE:
        return newest.as_of
    return (
        NightRun.objects.filter(status=RunStatus.DONE)
        .order_by("-as_of")
        .values_list("as_of", flat=True)
        .first()
    )


def newest_model() -> ModelVersion | None:
    """The live model; without one, the newest candidate, whose record says why it is not live."""
    rows = ModelVersion.objects.defer("artefact")
    live: ModelVersion | None = rows.filter(live_from__isnull=False, live_until__isnull=True).first()
    return live or rows.order_by("-number").first()
