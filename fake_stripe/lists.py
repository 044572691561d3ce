"""Lists the way Stripe pages them: newest first, cursors are object ids, `created` as a number or a range."""

import json
from typing import Any

from fake_stripe.errors import invalid, missing
from fake_stripe.session import Session
from fake_stripe.store import COLUMNS
from fake_stripe.wire import Json

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def list_of(
    session: Session,
    kind: str,
    params: Json,
    url: str,
    *,
    extra: tuple[str, tuple[Any, ...]] = ("", ()),
    **where: Any,
) -> Json:
    """One page. `where` filters by columns (None = not asked for); `extra` is a further SQL condition."""
    tests, values = ["kind = ?"], [kind]
    for name, value in where.items():
        if value is not None:
            tests.append(f'"{name}" = ?')
            values.append(value)
    for name in COLUMNS:
        if name in params and name not in where and name != "created":
            tests.append(f'"{name}" = ?')
            values.append(params[name])
    _created(params.get("created"), tests, values)
    if extra[0]:
        tests.append(extra[0])
        values.extend(extra[1])
    return _page(session, params, url, tests, values)


def _created(created: Any, tests: list[str], values: list[Any]) -> None:
    if isinstance(created, dict):
        for word, bound in created.items():
            tests.append(f"created {_COMPARISONS[word]} ?")
            values.append(bound)
    elif created:
        tests.append("created = ?")
        values.append(created)


def _page(session: Session, params: Json, url: str, tests: list[str], values: list[Any]) -> Json:
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid(
            f"This value must be between 1 and 100 (it currently is '{limit}').", param="limit", kept=False
        )
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("Only one of starting_after and ending_before can be given.", param="ending_before")
    if cursor := after or before:
        tests.append(f"seq {'<' if after else '>'} ?")
        values.append(_place(session, cursor, "starting_after" if after else "ending_before"))
    direction = "ASC" if before else "DESC"
    rows = session.store.db.execute(
        f"SELECT body FROM records WHERE {' AND '.join(tests)} ORDER BY seq {direction} LIMIT ?",
        [*values, limit + 1],
    ).fetchall()
    found = [json.loads(body) for (body,) in rows[:limit]]
    if before:
        found.reverse()
    return as_list([session.render(record) for record in found], url, has_more=len(rows) > limit)


def _place(session: Session, key: str, param: str) -> int:
    row = session.store.db.execute("SELECT seq FROM records WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise missing("object", key, param=param, status=400)
    return int(row[0])


def as_list(data: list[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
