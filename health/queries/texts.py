"""Texts as categorical features: industry, country, plan, interval, text traits, subscription properties.

A column becomes a feature when it has few enough levels to say something of more than one account; an
identifier or a free text has not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import BillingInterval, Plan, TraitDefinition, Workspace
from cs_platform.lib.arrays import native, read_columns
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import Shard
from health.metrics.reading import snapshot_reading
from health.metrics.terms import terms

if TYPE_CHECKING:
    from health.ml import FeatureSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Column = tuple["FeatureSpec", Floats]
MAX_LEVELS = 200
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Rows:
    """The rows that the columns are aligned to."""

    account_ids: Ints
    as_of: Ints
    days: Sequence[date]
    shard: Shard


def text_columns(
    as_of_dates: Sequence[date], *, account_ids: Ints, as_of: Ints, shard: Shard
) -> list[Column]:
    """Columns of level codes (nan = missing) and of numbers that only subscriptions carry."""
    rows = Rows(account_ids, as_of, sorted(set(as_of_dates)), shard)
    return [*_account_columns(rows), *_trait_columns(rows), *_subscription_columns(rows)]


def _account_columns(rows: Rows) -> list[Column]:
    found = _fetch(
        "SELECT id, industry, country FROM accounts_account"
        f" WHERE workspace_id = %(workspace)s AND {rows.shard.sql('id')} ORDER BY id"
    )
    ids = np.array([row[0] for row in found], dtype=np.int64)
    columns = [
        _categorical(name, [row[at] for row in found], ids, rows.account_ids)
        for at, name in enumerate(("industry", "country"), start=1)
    ]
    return [column for column in columns if column]


def _trait_columns(rows: Rows) -> list[Column]:
    wanted = TraitDefinition.objects.filter(kind=TraitDefinition.Kind.TEXT, use_in_model=True)
    columns = (_trait_column(definition, rows) for definition in wanted.order_by("key"))
    return [column for column in columns if column]


def _trait_column(definition: TraitDefinition, rows: Rows) -> Column | None:
    """Per day the latest value known before it; an undated one is known since the account began."""
    found = _fetch(
        "SELECT account_id, coalesce(extract(epoch FROM known_at)::float8, '-infinity'), value_text"
        f" FROM accounts_accounttrait WHERE workspace_id = %(workspace)s AND {rows.shard.sql('account_id')}"
        " AND definition_id = %(definition)s AND value_text <> '' ORDER BY account_id, known_at NULLS FIRST",
        definition=definition.pk,
    )
    levels, codes = _coded([row[2] for row in found])
    if not 0 < len(levels) <= MAX_LEVELS:
        return None
    ids = np.array([row[0] for row in found], dtype=np.int64)
    known = np.array([row[1] for row in found], dtype=float)
    column = np.full(rows.account_ids.size, np.nan)
    for day in rows.days:
        here = rows.as_of == day.toordinal()
        before = known < _moment(day)
        column[here] = _aligned(*_last(ids[before], codes[before]), rows.account_ids[here])
    return _spec(f"trait:{definition.key}", levels, undated=not definition.is_dated), column


def _subscription_columns(rows: Rows) -> list[Column]:
    """Of the subscription with the largest MRR that ran on the day."""
    main = np.full((rows.account_ids.size, 4), np.nan)
    for day in rows.days:
        here = rows.as_of == day.toordinal()
        found = _main_subscriptions(day, rows.shard)
        for at in range(4):
            main[here, at] = _aligned(found[:, 0].astype(np.int64), found[:, at + 1], rows.account_ids[here])
    columns = [_plan_column(main[:, 1]), _interval_column(main[:, 2]), (_spec("term_months"), main[:, 3])]
    return [*(column for column in columns if column), *_property_columns(main[:, 0], rows.shard)]


def _main_subscriptions(day: date, shard: Shard) -> Floats:
    """Rows (account, subscription, plan or -1, months of the interval, months of the term)."""
    reading = snapshot_reading(as_of=day, shard=shard, is_rebuilt=True)
    interval = "CASE billing_interval WHEN 'year' THEN 12 WHEN 'quarter' THEN 3 ELSE 1 END"
    found = read_columns(
        "SELECT DISTINCT ON (account_id) account_id, id, coalesce(plan_id, -1)::bigint,"
        f" ({interval})::integer, term_months::integer FROM ({terms(reading)}) t"
        " ORDER BY account_id, mrr DESC NULLS LAST, id",
        reading.params,
        ("i8", "i8", "i8", "i4", "i4"),
    )
    return np.column_stack([native(found[f"c{at}"], "f8") for at in range(5)])


def _plan_column(plan_ids: Floats) -> Column | None:
    names = dict(Plan.objects.values_list("id", "name"))
    present = sorted({int(value) for value in np.unique(plan_ids[~np.isnan(plan_ids)])} & set(names))
    if not 0 < len(present) <= MAX_LEVELS:
        return None
    codes = _aligned(np.array(present), np.arange(len(present), dtype=float), np.nan_to_num(plan_ids, nan=-1))
    return _spec("plan", tuple(names[key] for key in present)), codes


def _interval_column(months: Floats) -> Column | None:
    known = {1: BillingInterval.MONTH, 3: BillingInterval.QUARTER, 12: BillingInterval.YEAR}
    codes = _aligned(np.array(sorted(known)), np.arange(3, dtype=float), np.nan_to_num(months, nan=-1))
    return _spec("billing_interval", tuple(known[key].value for key in sorted(known))), codes


def _property_columns(subscription_ids: Floats, shard: Shard) -> list[Column]:
    found = _fetch(
        "SELECT id, properties FROM accounts_subscription WHERE workspace_id = %(workspace)s"
        f" AND properties <> '{{}}' AND {shard.sql('account_id')} ORDER BY id"
    )
    rows = [(row[0], _object(row[1])) for row in found]
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    wanted = np.nan_to_num(subscription_ids, nan=-1).astype(np.int64)
    keys = sorted({key for _id, properties in rows for key in properties})
    columns = (_property_column(key, [p.get(key) for _id, p in rows], ids, wanted) for key in keys)
    return [column for column in columns if column]


def _property_column(key: str, values: list[Any], ids: Ints, wanted: Ints) -> Column | None:
    """A number where every value is one; else levels. Dates and nested values are left out."""
    name, present = f"subscription:{key}", [value for value in values if value is not None]
    if all(isinstance(value, bool | int | float) for value in present):
        numbers = np.array([np.nan if value is None else float(value) for value in values])
        return _spec(name, undated=True), _aligned(ids, numbers, wanted)
    if any(not isinstance(v, str | bool | int | float) or DATE.fullmatch(str(v)) for v in present):
        return None
    return _categorical(name, ["" if v is None else str(v) for v in values], ids, wanted)


def _categorical(name: str, texts: list[str], ids: Ints, wanted: Ints) -> Column | None:
    levels, codes = _coded(texts)
    if not 0 < len(levels) <= MAX_LEVELS:
        return None
    return _spec(name, levels, undated=True), _aligned(ids, codes, wanted)


def _coded(texts: Sequence[str]) -> tuple[tuple[str, ...], Floats]:
    levels = tuple(sorted({text for text in texts if text}))
    places = {level: float(at) for at, level in enumerate(levels)}
    return levels, np.array([places.get(text, np.nan) for text in texts], dtype=float)


def _last(ids: Ints, values: Floats) -> tuple[Ints, Floats]:
    """The last value of each id; both come sorted by id."""
    ends = np.append(ids[1:] != ids[:-1], np.ones(min(ids.size, 1), dtype=bool))
    return ids[ends], values[ends]


def _aligned(ids: Any, values: Floats, wanted: Any) -> Floats:
    """`values` in the order of `wanted`; nan where an id is absent. `ids` are ascending."""
    out = np.full(wanted.size, np.nan)
    if ids.size:
        places = np.minimum(np.searchsorted(ids, wanted), ids.size - 1)
        hit = ids[places] == wanted
        out[hit] = values[places[hit]]
    return out


def _spec(name: str, levels: tuple[str, ...] = (), *, undated: bool = False) -> FeatureSpec:
    from health.ml import FeatureSpec

    return FeatureSpec(
        name=name,
        kind="categorical" if levels else "numeric",
        levels=levels,
        source="trait" if undated or name.startswith("trait:") else "metric",
        undated=undated,
    )


def _moment(day: date) -> float:
    return day_start(day, Workspace.objects.get(pk=current_workspace_id()).zone).timestamp()


def _fetch(sql: str, **params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"workspace": current_workspace_id(), **params})
        return list(cursor.fetchall())


def _object(raw: Any) -> Mapping[str, Any]:
    found = json.loads(raw) if isinstance(raw, str) else raw
    return found if isinstance(found, dict) else {}
