"""What the customer's people do in the product, from the daily rollups."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from health.metrics.reading import SnapshotReading
from health.models import KeyFeature
from health.registry import Metric, MetricFamily, MetricGroup, MetricSource, Unit

EPOCH = date(1970, 1, 1)
BLOCK_DAYS = 32
WINDOW_DAYS = 56  # two periods of four weeks, so that every weekday counts equally often
# How products commonly call it when a person signs in.
SIGN_IN_NAMES = (
    "Signed In", "Sign In", "signed_in", "sign_in", "Logged In", "Login", "login", "logged_in", "User Logged In",
    "user_login", "User Signed In", "user_signed_in",
)  # fmt: skip


def _days(reading: SnapshotReading) -> str:
    last_4_weeks = f"FILTER (WHERE day >= {reading.day(28)})"
    return f"""
        SELECT account_id, max(day) AS last_day,
            count(*) FILTER (WHERE day >= {reading.day(7)}) AS active_days_7,
            count(*) {last_4_weeks} AS active_days_28,
            coalesce(sum(events) {last_4_weeks}, 0) AS events_28,
            coalesce(sum(events) FILTER (WHERE day < {reading.day(28)}), 0) AS events_before,
            coalesce(sum(quantity) {last_4_weeks}, 0) AS quantity_28,
            coalesce(sum(active_contacts) {last_4_weeks}, 0) AS contact_days_28
        FROM health_accountday
        WHERE {reading.mine()} AND day >= {reading.day(WINDOW_DAYS)} AND day < {reading.day()} AND events > 0
        GROUP BY account_id"""


def _people(reading: SnapshotReading) -> str:
    """The bits of a person's blocks are moved into one word: bit 55 is yesterday, bit 0 is 56 days ago."""
    start = (reading.as_of - timedelta(days=WINDOW_DAYS) - EPOCH).days
    first, last = start // BLOCK_DAYS, (start + WINDOW_DAYS - 1) // BLOCK_DAYS
    shift = f"(block * {BLOCK_DAYS} - {start})"
    window = (1 << WINDOW_DAYS) - 1
    last_28, before = _bits(28), window ^ _bits(28)
    return f"""
        SELECT account_id,
            count(*) FILTER (WHERE days & {_bits(7)} <> 0) AS wau,
            count(*) FILTER (WHERE days & {last_28} <> 0) AS mau,
            count(*) FILTER (WHERE days & {before} <> 0) AS mau_before,
            count(*) FILTER (WHERE days & {before} <> 0 AND days & {last_28} = 0) AS lapsed
        FROM (
            SELECT account_id, bit_or(CASE WHEN {shift} >= 0 THEN bits << {shift} ELSE bits >> -{shift} END)
                & {window} AS days
            FROM health_contactdays
            WHERE {reading.mine()} AND block >= {first} AND block <= {last}
            GROUP BY account_id, person_key
        ) people GROUP BY account_id"""


def _bits(days: int) -> int:
    """The newest `days` bits of the window."""
    return ((1 << days) - 1) << (WINDOW_DAYS - days)


def _features(reading: SnapshotReading) -> str:
    keys = list(KeyFeature.objects.order_by("id").values_list("id", "name"))
    columns = "".join(
        f", coalesce(max(days) FILTER (WHERE name = {reading.bind(name)}), 0) AS f{int(key)}"
        for key, name in keys
    )
    marked = reading.bind([name for _key, name in keys])
    return f"""
        SELECT account_id, count(*) AS used, count(*) FILTER (WHERE name = ANY({marked}::text[])) AS adopted,
            max(last_day) FILTER (WHERE name = ANY({reading.bind(list(SIGN_IN_NAMES))}::text[])) AS last_sign_in
            {columns}
        FROM (
            SELECT account_id, name, count(*) AS days, max(day) AS last_day FROM health_usagerollup
            WHERE {reading.mine()} AND day >= {reading.day(28)} AND day < {reading.day()} AND events > 0
            GROUP BY account_id, name
        ) names GROUP BY account_id"""


SOURCES = (
    MetricSource("days", _days),
    MetricSource("people", _people),
    MetricSource("features", _features),
)


def _counted(column: str) -> str:
    """0 for an account without usage, as soon as the workspace sends any."""
    return f"CASE WHEN facts.usage_began IS NOT NULL THEN coalesce({column}, 0) END"


def _people_counted(column: str) -> str:
    """0 for an account without active people, where the workspace's events name people at all."""
    return f"CASE WHEN facts.has_people THEN coalesce({column}, 0) END"


# A comparison of two periods needs both of them: of the account's life and of the tracking.
_BOTH_PERIODS = f"base.age_days >= {WINDOW_DAYS} AND facts.usage_age_days >= {WINDOW_DAYS}"


def _change(now: str, before: str) -> str:
    return f"CASE WHEN {_BOTH_PERIODS} THEN 100::float8 * ({now} - {before}) / nullif({before}, 0) END"


def definitions() -> list[Metric]:
    """The metrics of this group."""
    return [*_presence(), *_persons(), *_persons_compared(), *_volume(), *_adoption()]


def _presence() -> list[Metric]:
    return [
        _metric(
            "days_since_last_seen",
            _("Days since last seen"),
            _("Days since anybody at the account used the product; 1 means yesterday."),
            "facts.as_of - coalesce(days.last_day, older.day)",
            "as_of - last local day with an event",
            unit=Unit.DAYS,
            better="down",
        ),
        _metric(
            "days_since_login",
            _("Days since the last sign-in"),
            _("Days since a person signed in; machines may go on sending events. 29 means more than 28."),
            "CASE WHEN facts.has_sign_ins AND coalesce(days.last_day, older.day) IS NOT NULL"
            " THEN coalesce(facts.as_of - features.last_sign_in, 29) END",
            "as_of - last local day with a sign-in event, at most 29; no data while the workspace sends no sign-ins",
            sources=("days", "features"),
            unit=Unit.DAYS,
            better="down",
        ),
        _metric(
            "active_days_7",
            _("Active days in 7 days"),
            _("Days with at least one event in the last 7 days."),
            _counted("days.active_days_7"),
            "count of days in [as_of - 7, as_of) with events > 0",
            unit=Unit.DAYS,
        ),
        _metric(
            "active_days_28",
            _("Active days in 28 days"),
            _("Days with at least one event in the last 28 days."),
            _counted("days.active_days_28"),
            "count of days in [as_of - 28, as_of) with events > 0",
            unit=Unit.DAYS,
        ),
    ]


def _persons() -> list[Metric]:
    return [
        _metric(
            "dau",
            _("Daily active people"),
            _("People active on an average day of the last 28 days."),
            _people_counted("days.contact_days_28 / 28::float8"),
            "sum over 28 days of the people active on each day / 28",
            decimals=1,
        ),
        _metric(
            "wau",
            _("Weekly active people"),
            _("Different people active in the last 7 days."),
            _people_counted("people.wau"),
            "count of people with an event in [as_of - 7, as_of)",
            sources=("people",),
        ),
        _metric(
            "mau",
            _("Monthly active people"),
            _("Different people active in the last 28 days."),
            _people_counted("people.mau"),
            "count of people with an event in [as_of - 28, as_of)",
            sources=("people",),
        ),
        _metric(
            "active_contacts_28",
            _("Active contacts"),
            _("Different people active in the last 28 days (the same number as monthly active people)."),
            _people_counted("people.mau"),
            "mau",
            sources=("people",),
            in_model=False,
        ),
        _metric(
            "stickiness",
            _("Stickiness"),
            _("How many of the month's people come on an average day."),
            "100::float8 * days.contact_days_28 / 28::float8 / nullif(people.mau, 0)",
            "100 * dau / mau; no data where nobody was active",
            sources=("days", "people"),
            unit=Unit.PERCENT,
        ),
    ]


def _persons_compared() -> list[Metric]:
    """People against the month before, and against what is paid for."""
    return [
        _metric(
            "active_contacts_change_28",
            _("Change in active people"),
            _("Active people of the last 28 days against the 28 days before."),
            _change("people.mau", "people.mau_before"),
            "100 * (mau - mau of the previous 28 days) / mau of the previous 28 days",
            sources=("people",),
            unit=Unit.PERCENT,
        ),
        _metric(
            "lapsed_contacts_28",
            _("People who stopped coming"),
            _("People active in the 28 days before the last 28, and not once since."),
            _people_counted("people.lapsed"),
            "count of people active in [as_of - 56, as_of - 28) and not in [as_of - 28, as_of)",
            sources=("people",),
            better="down",
        ),
        _metric(
            "licence_utilisation",
            _("Licence utilisation"),
            _("Active people as a share of the seats that are paid for."),
            f"100::float8 * ({_people_counted('people.mau')}) / nullif(billing.seats, 0)",
            "100 * mau / seats; no data without seats",
            sources=("people", "billing"),
            unit=Unit.PERCENT,
        ),
    ]


def _volume() -> list[Metric]:
    return [
        _metric(
            "events_28",
            _("Events in 28 days"),
            _("Everything that people did in the last 28 days."),
            _counted("days.events_28"),
            "sum of events in [as_of - 28, as_of)",
        ),
        _metric(
            "quantity_28",
            _("Quantity in 28 days"),
            _("Sum of the events' quantity in the last 28 days."),
            _counted("days.quantity_28"),
            "sum of quantity in [as_of - 28, as_of)",
            unit=Unit.NUMBER,
        ),
        _metric(
            "intensity",
            _("Intensity"),
            _("Events per person and active day in the last 28 days."),
            "days.events_28 / nullif(days.contact_days_28, 0)::float8",
            "events_28 / sum over 28 days of the people active on each day",
            unit=Unit.NUMBER,
            decimals=1,
        ),
        _metric(
            "usage_change_28",
            _("Usage change"),
            _("Events of the last 28 days against the 28 days before."),
            _change("days.events_28", "days.events_before"),
            "100 * (events_28 - events of the previous 28 days) / events of the previous 28 days;"
            " no data in the first 56 days",
            unit=Unit.PERCENT,
        ),
    ]


def _adoption() -> list[Metric]:
    return [
        _metric(
            "features_used_28",
            _("Features used"),
            _("Different kinds of event in the last 28 days."),
            _counted("features.used"),
            "count of event names with events in [as_of - 28, as_of)",
            sources=("features",),
        ),
        _metric(
            "key_features_adopted",
            _("Key features adopted"),
            _("Share of the features marked as key that were used in the last 28 days."),
            "CASE WHEN facts.usage_began IS NOT NULL THEN"
            " 100::float8 * coalesce(features.adopted, 0) / nullif(facts.key_features, 0) END",
            "100 * key features with a use in [as_of - 28, as_of) / key features marked",
            sources=("features",),
            unit=Unit.PERCENT,
        ),
    ]


def _metric(
    name: str,
    label: object,
    description: object,
    sql: str,
    formula: str,
    *,
    sources: tuple[str, ...] = ("days",),
    unit: Unit = Unit.COUNT,
    better: str = "up",
    in_model: bool = True,
    decimals: int = 0,
) -> Metric:
    return Metric(
        name=name,
        label=label,  # type: ignore[arg-type]
        description=description,  # type: ignore[arg-type]
        unit=unit,
        group=MetricGroup.USAGE,
        sql=sql,
        sources=sources,
        formula=formula,
        better=better,
        behavioural=True,
        in_model=in_model,
        decimals=decimals,
    )


def feature_metric(pk: int, name: str, label: str) -> Metric:
    """`feature:<event name>`: days on which a key feature was used in the last 28 days."""
    return _metric(
        f"feature:{name}",
        label or name,
        _("Days on which this key feature was used in the last 28 days."),
        _counted(f"features.f{pk}"),
        gettext_noop("count of days in [as_of - 28, as_of) with this event"),
        sources=("features",),
        unit=Unit.DAYS,
    )


FAMILIES: tuple[MetricFamily, ...] = ()  # `own.py` reads them together with the traits
