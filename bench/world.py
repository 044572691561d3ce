"""The world that is measured: one workspace whose usage is heavily skewed, made by set-based SQL."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import psycopg
from django.db import connection

from accounts.models import User, Workspace
from accounts.services.workspaces import create_workspace
from cs_platform.embedded.postgres import DATABASE, OWNER_ROLE, Postgres
from cs_platform.lib.scoping import workspace_scope

DAYS = 180
AS_OF = datetime.now(UTC).date().replace(day=1)
FEATURES = 12

# A few accounts and people do most of the work: ranks are drawn by the third power of a uniform number.
_ACCOUNTS = """
INSERT INTO accounts_account (workspace_id, public_id, external_id, name, domain, industry, country, created_at,
    added_at, is_start_assumed)
SELECT %(w)s, gen_random_uuid(), 'a' || i, 'Account ' || i, 'a' || i || '.example',
    (ARRAY['Energy', 'Retail', 'Media', 'Software'])[1 + i %% 4], 'US', %(start)s - make_interval(days => i %% 700),
    now(), false
FROM generate_series(1, %(accounts)s) i
"""
_CONTACTS = """
INSERT INTO accounts_contact (workspace_id, public_id, account_id, external_id, email, name, role, language,
    is_champion, traits, created_at)
SELECT %(w)s, gen_random_uuid(), a.id, a.external_id || '-' || k, 'p' || k || '@' || a.domain, 'Person ' || k, 'user',
    'en', k = 1, '{}', a.created_at
FROM accounts_account a CROSS JOIN LATERAL generate_series(1, 2 + (a.id %% 11)::int) k
"""
_SUBSCRIPTIONS = """
INSERT INTO accounts_subscription (workspace_id, public_id, account_id, plan_id, external_id, status, mrr_minor,
    currency, seats, billing_interval, started_at, ended_at, ended_reason, ended_cause, properties)
SELECT %(w)s, gen_random_uuid(), id, NULL, 's' || id, 'active', 10000 + id %% 90000, 'USD', 2 + (id %% 40)::int,
    (ARRAY['month', 'year'])[1 + (id %% 2)::int], created_at,
    CASE WHEN id %% 9 = 0 THEN created_at + interval '800 days' END, '', '', '{}'
FROM accounts_account
"""
_CHANGES = """
INSERT INTO accounts_subscriptionchange (workspace_id, subscription_id, effective_at, known_at, plan_id, mrr_minor,
    currency, seats, billing_interval)
SELECT %(w)s, id, started_at + make_interval(days => 200 * k), started_at + make_interval(days => 200 * k), NULL,
    mrr_minor + k, currency, seats, billing_interval
FROM accounts_subscription CROSS JOIN generate_series(0, 1) k
"""
_TICKETS = """
INSERT INTO accounts_ticket (workspace_id, public_id, account_id, external_id, subject, opened_at, closed_at,
    priority, satisfaction, properties)
SELECT %(w)s, gen_random_uuid(), id, id || '-' || k, '', %(start)s + make_interval(days => (random() * 180)::int),
    now(), (ARRAY['normal', 'urgent'])[1 + k %% 2], 1 + k %% 5, '{}'
FROM accounts_account CROSS JOIN generate_series(1, 3) k
"""
_EVENTS = """
INSERT INTO health_event (workspace_id, occurred_at, message_hash, received_at, name, account_id, contact_id,
    user_key, group_key, quantity)
SELECT %(w)s, %(start)s + make_interval(secs => floor(random() * 86400 * %(days)s)), decode(md5(i::text), 'hex'),
    now(), (ARRAY['Signed In', 'Dashboard Viewed', 'Report Created', 'Report Shared', 'Task Completed', 'File Uploaded',
        'Automation Run', 'Approval Granted', 'Comment Added', 'Data Exported', 'API Called', 'Team Invited']
    )[1 + floor(%(features)s * power(random(), 2))::int], p.account_id, p.id, p.external_id, '', 1
FROM (
    SELECT i, 1 + floor(%(people)s * power(random(), 3))::int AS rank FROM generate_series(1, %(events)s) i
) drawn JOIN bench_people p USING (rank)
"""
_ROLLUPS = (
    """
INSERT INTO health_usagerollup (workspace_id, account_id, name, day, events, quantity)
SELECT %(w)s, account_id, name, (occurred_at AT TIME ZONE 'UTC')::date AS day, count(*), sum(quantity)
FROM health_event GROUP BY account_id, name, day ORDER BY day, account_id
""",
    """
INSERT INTO health_accountday (workspace_id, account_id, day, events, quantity, active_contacts, distinct_names)
SELECT %(w)s, account_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, count(*), sum(quantity),
    count(DISTINCT contact_id), count(DISTINCT name)
FROM health_event GROUP BY account_id, day ORDER BY day, account_id
""",
    """
INSERT INTO health_contactdays (workspace_id, account_id, person_key, block, bits)
SELECT %(w)s, account_id, contact_id::text, number / 32, bit_or(1::bigint << number %% 32)
FROM (SELECT account_id, contact_id, (occurred_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01' AS number
      FROM health_event) e
GROUP BY account_id, contact_id, number / 32 ORDER BY number / 32, account_id
""",
)


class World:
    """Lazily built parts; every part is made once per run."""

    def __init__(
        self, postgres: Postgres, *, name: str = "bench", accounts: int | None = None, bare: bool = False
    ) -> None:
        """`bare`: accounts alone, for pages that read nothing else."""
        self.postgres = postgres
        self.name = name
        self.parts = (_ACCOUNTS,) if bare else (_ACCOUNTS, _CONTACTS, _SUBSCRIPTIONS, _CHANGES, _TICKETS)
        self.accounts = accounts or int(os.environ.get("BENCH_ACCOUNTS", "10000"))
        self.events = int(os.environ.get("BENCH_EVENTS", "2000000"))
        self.as_of: date = AS_OF

    @cached_property
    def workspace(self) -> Workspace:
        """A workspace with accounts, people and money, without usage."""
        owner = User.objects.create_user(f"owner@{self.name}.example", "correct-horse-battery")
        workspace = create_workspace(slug=self.name, name="Bench", owner=owner, acting_user=None)
        with workspace_scope(workspace.pk), connection.cursor() as cursor:
            for statement in self.parts:
                cursor.execute(statement, self._params(workspace))
        self.tidy()
        return workspace

    @cached_property
    def used_workspace(self) -> Workspace:
        """The same workspace with events and their rollups."""
        from health.models import KeyFeature

        workspace = self.workspace
        with workspace_scope(workspace.pk), connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE bench_people ON COMMIT DROP AS"
                " SELECT row_number() OVER (ORDER BY md5(id::text)) AS rank, id, account_id, external_id"
                " FROM accounts_contact"
            )
            cursor.execute("SELECT count(*) FROM bench_people")
            params = self._params(workspace) | {"people": cursor.fetchone()[0]}
            for statement in (_EVENTS, *_ROLLUPS):
                cursor.execute(statement, params)
            for name in ("Report Created", "Task Completed", "Automation Run"):
                KeyFeature.objects.create(name=name)
        self.tidy()
        return workspace

    def tidy(self) -> None:
        """What autovacuum would have done by the time of the night."""
        host = str(self.postgres.sockets)
        with psycopg.connect(host=host, user=OWNER_ROLE, dbname=DATABASE, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")

    def _params(self, workspace: Workspace) -> dict[str, Any]:
        return {
            "w": workspace.pk,
            "accounts": self.accounts,
            "events": self.events,
            "features": FEATURES,
            "days": DAYS,
            "start": self.start,
        }

    @property
    def start(self) -> datetime:
        """The first instant of the 180 days of usage."""
        return datetime.combine(self.as_of - timedelta(days=DAYS), datetime.min.time(), UTC)
