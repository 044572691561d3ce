"""No way around the workspace scope: every manager raises without one, and the source holds no unscoped query."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.tenancy import workspace_models
from cs_platform.lib.scoping import NoScope
from tests.test_architecture import ROOT, sources

# Names that reach past a scoped manager, and the files that may use them, each with its reason.
PAST_THE_MANAGER = {"_base_manager", "raw", "RawSQL", "_raw_delete", "extra"}
ALLOWED = {
    "accounts/services/workspace_deletion.py": "takes a deleted login out of tables that no workspace owns",
}
OWN_WALL = {("Membership", "of_users"): "a user's own memberships; a policy of its own shows nothing else"}
# What names the workspace in a statement: the word, or the condition that metrics and states share.
NAMING = ("workspace", "reading.mine()")
# Statements over workspace tables that do not name the workspace: row-level security alone keeps them apart.
UNNAMED = {
    "health/queries/queue.py": "reads from the SQL of a scoped queryset",
    "health/services/queue.py": "closes and removes by shard of the running scope",
    "health/services/risks.py": "closes by shard of the running scope",
    "health/services/simulation/usage.py": "copies from a temporary table of its own",
    "health/services/states.py": "joins the terms that are read by workspace",
}
TABLES = sorted((model._meta.db_table for model in workspace_models()), key=len, reverse=True)
STATEMENT = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?\"?({'|'.join(TABLES)})\b")


def ours() -> list[Path]:
    return [path for path in sources() if "migrations" not in path.parts]


def test_every_manager_of_every_workspace_table_raises_without_a_scope() -> None:
    for model in workspace_models():
        for manager in {*model._meta.managers, model._default_manager, model._base_manager}:
            if (model.__name__, manager.name) in OWN_WALL:
                continue
            with pytest.raises(NoScope):
                manager.all()


def called(tree: ast.AST) -> Iterator[str]:
    """Names of what is called, and of attributes that a queryset could be asked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", "") or getattr(node.func, "id", "")
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            yield node.attr


def test_nothing_reaches_past_the_managers() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in ours()
        if PAST_THE_MANAGER & set(called(ast.parse(path.read_text())))
    }
    assert found == set(ALLOWED)


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a file, an f-string or a sum of texts as one."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr | ast.BinOp):
            inside |= {id(child) for child in ast.walk(node) if child is not node}
            yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_sql_names_its_workspace() -> None:
    """Red? Add `workspace_id = %s` to the statement, or name the file in UNNAMED with a reason."""
    found = {
        str(path.relative_to(ROOT))
        for path in ours()
        for text in texts(ast.parse(path.read_text()))
        if STATEMENT.search(text) and not any(name in text for name in NAMING)
    }
    assert found == set(UNNAMED)
