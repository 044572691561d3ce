"""What the middle notices bring: of those who were told, how many paid with them and without them.

By intention to treat, an account once, by its first case after the draw. Before the second mail both groups are
treated alike, so counting only those who got the first one compares like with like. A case counts when its time is
over, paid or not, so that who pays early does not count earlier than who never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Workspace
from cs_platform.lib.stats import Interval, wilson_interval
from cs_platform.lib.trials import Estimate, Table, boundary, rate_lift

SUBJECT = "dunning_notices"
_ARMS = """
SELECT e.started_at, e.planned_accounts, a.stratum, v.is_holdout,
       count(*) FILTER (WHERE c.ends_at <= %(now)s),
       count(*) FILTER (WHERE c.ends_at <= %(now)s AND c.state = 'recovered'),
       count(*) FILTER (WHERE c.ends_at > %(now)s)
FROM (
    SELECT id, started_at, planned_accounts FROM health_experiment
    WHERE workspace_id = %(workspace)s AND subject_type = %(subject)s ORDER BY started_at DESC, id DESC LIMIT 1
) e
JOIN health_assignment a ON a.workspace_id = %(workspace)s AND a.experiment_id = e.id
JOIN health_variant v ON v.workspace_id = %(workspace)s AND v.id = a.variant_id
CROSS JOIN LATERAL (
    SELECT d.id, d.state, d.ends_at, d.notice_run_id FROM dunning_dunningcase d
    WHERE d.workspace_id = %(workspace)s AND d.account_id = a.account_id
      AND d.opened_at >= a.assigned_at AND d.opened_at < a.ends_at
    ORDER BY d.opened_at, d.id LIMIT 1
) c
WHERE c.notice_run_id IS NOT NULL OR EXISTS (
    SELECT FROM dunning_dunningstep s
    WHERE s.workspace_id = %(workspace)s AND s.case_id = c.id AND s.kind = 'notice_begun')
GROUP BY e.started_at, e.planned_accounts, a.stratum, v.is_holdout
"""


@dataclass(frozen=True, slots=True)
class NoticeArm:
    """Accounts that were told and whose time is over, how many of them paid, and whose time still runs."""

    told: int = 0
    paid: int = 0
    running: int = 0

    @property
    def interval(self) -> Interval:
        return wilson_interval(self.paid, self.told)


@dataclass(frozen=True, slots=True)
class NoticeEffect:
    """Both groups since the newest draw began; `lift` is the difference of their rates, None while it is too early."""

    since: datetime
    treated: NoticeArm
    held_out: NoticeArm
    lift: Estimate | None


def notice_effect(workspace: Workspace, *, now: datetime) -> NoticeEffect | None:
    """None where nobody was ever drawn and told; one query."""
    values: dict[str, Any] = {"workspace": workspace.pk, "subject": SUBJECT, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_ARMS, values)
        rows = cursor.fetchall()
    if not rows:
        return None
    arms = [_sum(rows, is_holdout=False), _sum(rows, is_holdout=True)]
    counted = arms[0].told + arms[1].told
    width = boundary(min(counted / rows[0][1], 1.0))
    return NoticeEffect(rows[0][0], arms[0], arms[1], rate_lift(_tables(rows), width) if counted else None)


def _sum(rows: list[tuple[Any, ...]], *, is_holdout: bool) -> NoticeArm:
    own = [row[4:] for row in rows if row[3] is is_holdout]
    return NoticeArm(*(sum(column) for column in zip(*own, strict=True))) if own else NoticeArm()


def _tables(rows: list[tuple[Any, ...]]) -> list[Table]:
    cells = {(row[2], row[3]): (row[5], row[4]) for row in rows}
    strata = sorted({row[2] for row in rows})
    return [Table(*cells.get((name, False), (0, 0)), *cells.get((name, True), (0, 0))) for name in strata]
