"""The statement behind the states: accounts, money, score, probability and usage of one day, side by side."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from health.metrics.reading import SnapshotReading
from health.metrics.terms import next_renewal, rates, terms

SPARK_WEEKS = 13
CHANGE_DAYS = 28
NEAR_DAYS = 90
# Lifecycle: how long a customer is new (two public set-ups agree on 90 days), and which terms count as a renewal at
# all: a monthly contract renews every month, so it would be "renewing" always.
ONBOARDING_DAYS = 90
RENEWING_DAYS = 90
RENEWAL_MONTHS = 6

STATE_COLUMNS = (
    "account_id",
    "as_of",
    "is_customer",
    "name",
    "csm_id",
    "plan",
    "industry",
    "country",
    "arr_minor",
    "list_arr_minor",
    "currency",
    "health_score",
    "health_band",
    "health_change",
    "coverage",
    "churn_probability",
    "expected_loss_minor",
    "urgency",
    "renews_at",
    "started_at",
    "lifecycle",
    "last_seen_on",
    "sparkline",
    "events_total",
)


def spark_days(as_of: date) -> list[date | None]:
    """Of each of the last 13 weeks the newest day with scores, oldest week first; leading gaps are cut."""
    days = _scored_days(as_of - timedelta(days=7 * SPARK_WEEKS - 1), as_of)
    weeks: list[date | None] = []
    for week in range(SPARK_WEEKS - 1, -1, -1):
        last = as_of - timedelta(days=7 * week)
        in_week = [last - timedelta(days=back) for back in range(7) if last - timedelta(days=back) in days]
        if in_week or weeks:
            weeks.append(in_week[0] if in_week else None)
    return weeks


def _scored_days(first: date, last: date) -> set[date]:
    """One index probe per day; DISTINCT would read every score of a quarter."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day::date FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') day"
            " CROSS JOIN LATERAL (SELECT 1 FROM health_healthscore"
            " WHERE workspace_id = %(workspace)s AND as_of = day::date LIMIT 1) scored",
            {"first": first, "last": last, "workspace": current_workspace_id()},
        )
        return {row[0] for row in cursor.fetchall()}


def state_select(
    reading: SnapshotReading,
    *,
    version_id: int | None,
    last_seen_position: int | None,
    weeks: list[date | None],
) -> str:
    """A SELECT of STATE_COLUMNS for every account of the shard.

    urgency = 1 + max(0, 1 - days to renewal / 90); expected loss = probability x ARR x urgency, with
    (100 - score) / 100 in place of a missing probability and the list price in place of a missing ARR.
    """
    nearness = f"1 - extract(epoch FROM money.renews_at - {reading.instant()})::float8 / {NEAR_DAYS * 86_400}"
    urgency = f"coalesce(least(2, 1 + greatest(0, {nearness})), 1)"
    probability = "coalesce(prediction.probability, (100 - score.score) / 100, 0)"
    at_stake = "coalesce(nullif(money.arr_minor, 0), money.list_arr_minor, 0)"
    return f"""
        SELECT a.id AS account_id, {reading.day()} AS as_of, money.account_id IS NOT NULL AS is_customer,
            a.name, a.csm_id, coalesce(left(money.plan, 200), '') AS plan, a.industry, a.country,
            coalesce(money.arr_minor, 0) AS arr_minor, coalesce(money.list_arr_minor, 0) AS list_arr_minor,
            {reading.bind(reading.report_currency)} AS currency,
            score.score AS health_score, coalesce(score.band, '') AS health_band,
            score.score - spark.score_before AS health_change, score.coverage,
            prediction.probability AS churn_probability,
            round({probability} * {at_stake} * {urgency})::bigint AS expected_loss_minor,
            {urgency} AS urgency, money.renews_at, least(a.created_at, started.first_at) AS started_at,
            {_lifecycle(reading)} AS lifecycle,
            {_last_seen(reading, last_seen_position)} AS last_seen_on,
            coalesce(spark.points, '{{}}') AS sparkline, coalesce(events.total, 0) AS events_total
        FROM accounts_account a
        LEFT JOIN ({_money(reading)}) money ON money.account_id = a.id
        LEFT JOIN ({_started(reading)}) started ON started.account_id = a.id
        LEFT JOIN health_healthscore score ON score.workspace_id = a.workspace_id AND score.account_id = a.id
            AND score.as_of = {reading.day()}
        LEFT JOIN health_churnprediction prediction ON prediction.workspace_id = a.workspace_id
            AND prediction.account_id = a.id AND prediction.as_of = {reading.day()}
            AND prediction.version_id = {int(version_id or 0)}
        LEFT JOIN health_accountsnapshot snapshot ON snapshot.workspace_id = a.workspace_id
            AND snapshot.account_id = a.id AND snapshot.as_of = {reading.day()}
        LEFT JOIN ({_spark(reading, weeks)}) spark ON spark.account_id = a.id
        LEFT JOIN ({_events(reading)}) events ON events.account_id = a.id
        WHERE {reading.mine("a", "id")}"""


def _money(reading: SnapshotReading) -> str:
    """Per customer: ARR, the list price of what is not paid for, plans by size, the first renewal."""
    listed = "p.list_mrr_minor * CASE WHEN p.is_per_seat THEN coalesce(t.seats, 1) ELSE 1 END * r.factor"
    return f"""
        SELECT t.account_id, round(12 * coalesce(sum(t.mrr), 0))::bigint AS arr_minor,
            round(12 * coalesce(sum({listed}) FILTER (WHERE t.paid = 0), 0))::bigint AS list_arr_minor,
            string_agg(p.name, ', ' ORDER BY t.mrr DESC NULLS LAST, p.name) FILTER (WHERE t.is_first) AS plan,
            min({next_renewal(reading, "t")}) AS renews_at, bool_and(t.status = 'trialing') AS is_trial,
            min({next_renewal(reading, "t")}) FILTER (WHERE t.term_months >= {RENEWAL_MONTHS}) AS term_ends_at
        FROM (
            SELECT u.*, coalesce(u.mrr, 0) AS paid, row_number() OVER (
                PARTITION BY u.account_id, u.plan_id ORDER BY u.mrr DESC NULLS LAST, u.id
            ) = 1 AS is_first
            FROM ({terms(reading)}) u
        ) t
        LEFT JOIN accounts_plan p ON p.workspace_id = {int(reading.workspace_id)} AND p.id = t.plan_id
        LEFT JOIN ({rates(reading)}) r ON r.currency = p.currency
        GROUP BY t.account_id"""


def _lifecycle(reading: SnapshotReading) -> str:
    """The first that holds: never subscribed, lapsed, only trials run, younger than ONBOARDING_DAYS,
    a term of at least RENEWAL_MONTHS ends within RENEWING_DAYS, live."""
    young = f"started.first_at > {reading.instant()} - interval '{ONBOARDING_DAYS} days'"
    renewing = f"money.term_ends_at < {reading.instant()} + interval '{RENEWING_DAYS} days'"
    return f"""CASE WHEN money.account_id IS NULL
            THEN CASE WHEN started.first_at IS NULL THEN 'none' ELSE 'lapsed' END
            WHEN money.is_trial THEN 'trial' WHEN {young} THEN 'onboarding'
            WHEN {renewing} THEN 'renewing' ELSE 'live' END"""


def _started(reading: SnapshotReading) -> str:
    return f"""
        SELECT account_id, min(started_at) AS first_at FROM accounts_subscription
        WHERE {reading.mine()} AND started_at < {reading.instant()} GROUP BY account_id"""


def _events(reading: SnapshotReading) -> str:
    """All attributed events so far; also those of days after `as_of`, because it answers "has it arrived?"."""
    return f"SELECT account_id, sum(events) AS total FROM health_accountday WHERE {reading.mine()} GROUP BY account_id"


def _last_seen(reading: SnapshotReading, position: int | None) -> str:
    if position is None:
        return "NULL::date"
    return f"{reading.day()} - snapshot.values[{int(position) + 1}]::int"


def _spark(reading: SnapshotReading, weeks: list[date | None]) -> str:
    """Weekly scores as an array, and the score of 28 days before (or of the day scored in that week)."""
    if not weeks:
        return "SELECT NULL::bigint AS account_id, NULL::float8[] AS points, NULL::float8 AS score_before"
    picked = ", ".join(_score_on(day) for day in weeks)
    back = len(weeks) - 1 - CHANGE_DAYS // 7
    before = _score_on(weeks[back]) if back >= 0 else "NULL::float8"
    days = reading.bind([day for day in weeks if day])
    return f"""
        SELECT account_id, ARRAY[{picked}] AS points, {before} AS score_before
        FROM health_healthscore WHERE {reading.mine()} AND as_of = ANY({days}::date[]) GROUP BY account_id"""


def _score_on(day: date | None) -> str:
    return f"max(score) FILTER (WHERE as_of = DATE '{day}')" if day else "NULL::float8"
