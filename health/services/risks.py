"""Stage "risk": open, refresh and close named problems by the workspace's rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import connection
from psycopg.types.json import Jsonb

from accounts.models import LetGo
from cs_platform.lib.bulk import upsert
from cs_platform.lib.shards import ALL, Shard
from health.models import AccountState, Risk, RiskRule
from health.queries.columns import metric_columns, probabilities_of, scores_of
from health.queries.in_force import live_version
from health.queries.live import live_columns
from health.risks import Columns, RiskRuleSpec, risk_rules

DERIVED = ("health_score", "churn_probability")
Found = dict[tuple[int, str], tuple[int, dict[str, float]]]


def create_default_rules() -> None:
    """One settings row per registered rule; existing rows keep what the admin chose."""
    known = set(RiskRule.objects.values_list("cause", flat=True))
    RiskRule.objects.bulk_create(
        [
            RiskRule(cause=spec.name, severity=spec.severity, parameters=spec.defaults(), instruction="")
            for spec in risk_rules
            if spec.name not in known
        ],
        ignore_conflicts=True,
    )


def find_risks(*, as_of: date, shard: Shard = ALL, live_on: date | None = None) -> int:
    """Evaluate all enabled rules for customers of the shard; returns the number of open risks.

    `live_on`: what changes at once (metrics marked so) is read anew, with the facts of that local day and before.
    """
    create_default_rules()
    account_ids, columns = _columns(as_of, shard)
    if live_on is not None:
        columns |= live_columns(account_ids, shard=shard, on=live_on)
    found: Found = {}
    for rule in RiskRule.objects.filter(is_enabled=True):
        if rule.cause in risk_rules:
            spec = risk_rules.get(rule.cause)
            _collect(found, spec, rule, account_ids, columns)
    _store(found, as_of, shard)
    return len(found)


def count_matches(cause: str, settings: Mapping[str, float], *, as_of: date) -> int:
    """How many customers the rule would name on that day with these settings."""
    spec = risk_rules.get(cause)
    account_ids, columns = _columns(as_of, ALL)
    if not account_ids.size:
        return 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return int(np.count_nonzero(spec.matches(columns, settings)))


def _columns(as_of: date, shard: Shard) -> tuple[Any, dict[str, Any]]:
    keys = sorted({key for spec in risk_rules for key in spec.columns if key not in DERIVED})
    day = metric_columns(as_of=as_of, keys=keys, shard=shard)
    version = live_version()
    columns = dict(day.columns)
    columns["health_score"] = scores_of(as_of=as_of, account_ids=day.account_ids)
    columns["churn_probability"] = probabilities_of(
        as_of=as_of, version_id=version.pk if version else None, account_ids=day.account_ids
    )
    customers = np.array(
        sorted(AccountState.objects.filter(is_customer=True).values_list("account_id", flat=True)),
        dtype=np.int64,
    )
    let_go = set(LetGo.objects.filter(withdrawn_at__isnull=True).values_list("account_id", flat=True))
    keep = np.isin(day.account_ids, customers) & ~np.isin(
        day.account_ids, np.array(sorted(let_go), dtype=np.int64)
    )
    return day.account_ids[keep], {key: column[keep] for key, column in columns.items()}


def _collect(found: Found, spec: RiskRuleSpec, rule: RiskRule, account_ids: Any, columns: Columns) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        mask = spec.matches(columns, spec.settings(rule.parameters))
    for i in np.flatnonzero(mask).tolist():
        values = {key: float(columns[key][i]) for key in spec.evidence}
        evidence = {key: value for key, value in values.items() if not np.isnan(value)}
        found[(int(account_ids[i]), spec.name)] = (rule.severity, evidence)


def _store(found: Found, as_of: date, shard: Shard) -> None:
    rows = (
        (uuid4(), account_id, cause, severity, Jsonb(evidence), as_of, as_of)
        for (account_id, cause), (severity, evidence) in found.items()
    )
    upsert(
        Risk._meta.db_table,
        ("public_id", "account_id", "cause", "severity", "evidence", "opened_on", "refreshed_on"),
        rows,
        key=("account_id", "cause"),
        update=("severity", "evidence", "refreshed_on"),
        where="closed_on IS NULL",
    )
    _close_others(found, as_of, shard)


def _close_others(found: Found, as_of: date, shard: Shard) -> None:
    """Close open risks of our rules that did not match; causes of other apps are theirs to close."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE health_risk SET closed_on = %s WHERE closed_on IS NULL AND cause = ANY(%s)"
            f" AND {shard.sql('account_id')} AND NOT EXISTS (SELECT 1"
            " FROM unnest(%s::bigint[], %s::text[]) AS f(account_id, cause)"
            " WHERE f.account_id = health_risk.account_id AND f.cause = health_risk.cause)",
            [as_of, risk_rules.names(), [key[0] for key in found], [key[1] for key in found]],
        )
