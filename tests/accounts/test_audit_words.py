"""The audit log speaks in words: no action and no kind of row that the product writes is shown as a bare code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from django.apps import apps

from accounts.registry import audit_actions, audit_objects
from accounts.services.audit import audit
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.conftest import Cast

ROOT = Path(__file__).resolve().parents[2]


def written() -> set[str]:
    """Every action that stands in the source as a plain text; composed ones are left to the pages."""
    found = set()
    for app in ("accounts", "health", "feedback", "onboarding", "dunning", "winback"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit" and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        found.add(str(first.value))
    return found


def test_each_action_that_is_written_has_its_words() -> None:
    actions = written()
    assert len(actions) > 80
    assert sorted(action for action in actions if action not in audit_actions) == []


def test_words_name_rows_that_exist() -> None:
    labels = {model._meta.label_lower for model in apps.get_models()}
    assert [name for name in audit_objects.names() if name not in labels] == []


def test_the_page_shows_words_and_keeps_the_code(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        audit("accounts.membership.role_changed", acting_user=cast.ada, target=cast.ben, role="admin")
        audit("gone.thing.done", acting_user=None)
    page = web(cast.ada).get("/settings/audit/").content.decode()
    assert '<span title="accounts.membership.role_changed">Member&#x27;s role changed</span>' in page
    assert f"Member {cast.ben.pk}" in page
    assert "gone.thing.done" in page, "what nobody knows any more is shown as it was written"
    found = web(cast.ada).get("/settings/audit/?action=accounts.membership.role_changed")
    assert f"Member {cast.ben.pk}" in found.content.decode() and "gone.thing" not in rows_of(found)
    sheet = web(cast.ada).get("/settings/audit/export/").content.decode()
    assert "Member's role changed,accounts.membership.role_changed" in sheet


def rows_of(response: Any) -> str:
    return str(response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0])
