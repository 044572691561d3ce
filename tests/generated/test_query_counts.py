"""Every page that can be read: the number of queries does not depend on the number of rows, and stays small."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import roles_with
from accounts.models import Role
from cs_platform.lib.scoping import workspace_scope
from tests.access.table import OURS, path_of, signed_in
from tests.crowd import ONE_ONLY, Crowd, lived_in

MOST = 30
CONTROL = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO", "SELECT set_config(", "BEGIN", "COMMIT")


def counted(client: Any, path: str) -> tuple[int, Counter[str]] | None:
    """Queries for data, without the frame around transactions and scopes; None for what is no page to read."""
    with CaptureQueriesContext(connection) as found:
        response = client.get(path)
        if response.streaming:
            b"".join(response.streaming_content)
    assert response.status_code < 500, path
    if response.status_code != 200:
        return None
    statements = [query["sql"] for query in found.captured_queries]
    texts = Counter(sql.split("WHERE")[0][:150] for sql in statements if not sql.startswith(CONTROL))
    return sum(texts.values()), texts


def read_all(client: Any, paths: dict[str, str]) -> dict[str, Any]:
    cache.clear()
    return {name: counted(client, path) for name, path in paths.items()}


def growth(few: Any, many: Any) -> list[str]:
    more = many[1] - few[1]
    return [f"{few[0]} -> {many[0]}"] + [f"  {times} x {text}" for text, times in more.most_common(3)]


@pytest.mark.parametrize(("few", "many"), [(4, 16), pytest.param(10, 200, marks=pytest.mark.soak)])
def test_no_page_asks_per_row(cast: Any, few: int, many: int) -> None:
    with workspace_scope(cast.workspace.pk):
        made = lived_in(cast.workspace)
        crowd = Crowd()
        crowd.grow(few)
    paths = {a.name: path_of(a, made) for a in OURS if Role.OWNER in roles_with_or_all(a.permission)}
    client = signed_in(cast.ada)
    client.raise_request_exception = False
    first = read_all(client, paths)
    with workspace_scope(cast.workspace.pk):
        crowd.grow(many - few)
    second = read_all(client, paths)
    seen = {name: (first[name], second[name]) for name in paths if first[name] and second[name]}
    assert crowd.refused <= ONE_ONLY, "add copies of these tables to the crowd, or say why there is one only"
    assert len(seen) > 80
    problems = [
        "\n".join([name, *growth(*both)]) for name, both in seen.items() if both[1][0] > both[0][0]
    ] + [f"{name}: {both[1][0]} queries" for name, both in seen.items() if both[1][0] > MOST]
    assert problems == [], "\n".join(problems)


# Pages that were above the limit once, where the frame (session, login, scopes) was counted too.
HEAVY = ("health:account", "accounts:import_undo", "accounts:segment_edit", "health:scorecard")


def test_the_heaviest_pages_stay_within_the_limit_with_their_frame(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        made = lived_in(cast.workspace)
        Crowd().grow(6)
    paths = {address.name: path_of(address, made) for address in OURS if address.name in HEAVY}
    assert set(paths) == set(HEAVY)
    client = signed_in(cast.ada)
    for name, path in paths.items():
        client.get(path)
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200, name
        # A test's transaction makes savepoints of what is begin and commit elsewhere: twice as many words.
        frame = sum(query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in found.captured_queries)
        assert len(found) - frame <= MOST, (name, len(found) - frame)


def roles_with_or_all(permission: str | None) -> Any:
    return Role.values if permission in ("signed_in", "public") else roles_with(str(permission))
