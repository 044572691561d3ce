"""Every CSV file that the product hands out: no cell becomes a formula, and reading it back gives what was there."""

from __future__ import annotations

import csv
import io
import re
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest

from accounts.imports.reading import SourceFile
from accounts.models import Role
from cs_platform.lib.csv_text import csv_text, original_cell, safe_cell
from cs_platform.lib.scoping import workspace_scope
from tests.access.table import OURS, path_of, signed_in
from tests.crowd import Crowd, lived_in, plant
from tests.generated.test_query_counts import roles_with_or_all

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
BODIES = ('HYPERLINK("http://127.0.0.1:9","x")', "cmd|' /C calc'!A0", "1+1", "SUM(A1:A9)", '1";=2', " 2")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def dangerous() -> list[str]:
    return [start + body for start in STARTS for body in BODIES]


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("copies", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_no_export_holds_a_formula(cast: Any, copies: int) -> None:
    """The list of files is generated: whatever address answers with CSV is judged, every cell of it."""
    storable = [text for text in dangerous() if "\x00" not in text]  # Postgres refuses NUL
    turns, numbers = cycle(storable), count()
    with workspace_scope(cast.workspace.pk):
        made = lived_in(cast.workspace)
        Crowd().grow(copies)
        assert plant(lambda: f"{next(turns)}{next(numbers)}") > 2 * len(storable)
    client, files, judged, problems = signed_in(cast.ada), [], 0, []
    for address in OURS:
        if Role.OWNER not in roles_with_or_all(address.permission):
            continue
        response = client.get(path_of(address, made))
        if not response.headers.get("Content-Type", "").startswith("text/csv"):
            continue
        body = response.getvalue() if response.streaming else response.content
        files.append(address.name)
        for row in cells(body.decode()):
            for cell in row:
                judged += cell.startswith("'")
                if cell.startswith(STARTS) and not NUMBER.fullmatch(cell):
                    problems.append((address.name, cell))
    assert problems == []
    assert {"health:accounts_export", "health:queue_export", "accounts:segment_members"} <= set(files), files
    assert len(files) >= 9
    assert judged >= 20, "hardly any dangerous text was in the files: the run proves nothing"


@pytest.mark.parametrize(
    "text", [*dangerous(), "'=1", "''=1", "'", "''", "'quoted'", "'-", "plain", "", "a=1", "'s Hertogenbosch"]
)
def test_a_cell_comes_back_as_it_was(text: str) -> None:
    cell = safe_cell(text)
    assert not str(cell).startswith(STARTS)
    assert original_cell(str(cell)) == text


def test_an_exported_file_is_imported_as_it_was(tmp_path: Path) -> None:
    texts = [text for text in dangerous() if "\x00" not in text] + ["'=1", "''+1", "plain"]
    file = tmp_path / "export.csv"
    file.write_text(csv_text(["=id", "name"], [["x", text] for text in texts]), newline="")
    read = list(SourceFile(file).rows())
    assert [row.values["name"] for row in read] == texts
    assert {row.values["=id"] for row in read} == {"x"}
