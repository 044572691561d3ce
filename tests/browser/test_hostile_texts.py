"""Hostile texts in every field of every table, and a real browser that opens every page: nothing runs."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import Role
from tests.access.table import OURS, path_of, signed_in
from tests.generated.test_markup import hostile_world
from tests.generated.test_query_counts import roles_with_or_all

REPORTS = """
window.complaints = [];
document.addEventListener('securitypolicyviolation', e => window.complaints.push(e.blockedURI + ' ' + e.violatedDirective));
"""
# Where the eye of the day rests; the long form opens every page there is.
SOME = {
    "health:home",
    "health:queue",
    "health:accounts",
    "health:account",
    "accounts:contact",
    "accounts:segments",
    "health:playbooks",
    "accounts:notifications",
}


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_nothing_runs(page: Page, sign_in: Any, cast: Any, complaints: Any, every: bool) -> None:
    """0 executed, 0 dialogs, and 0 reports of the content security policy: escaped, not merely stopped by it."""
    made = hostile_world(cast, 8)
    sign_in(page, cast.ada)
    page.add_init_script(REPORTS)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    complaints.expect("404")  # a mail shown alone has no icon; what a page itself lacks is in `missing`
    missing: list[str] = []
    page.on("response", lambda r: r.status >= 400 and missing.append(f"{page.url}: {r.url}"))
    client, opened = signed_in(cast.ada), 0
    for address in OURS:
        allowed = Role.OWNER in roles_with_or_all(address.permission)
        if not allowed or not (every or address.name in SOME):
            continue
        path = path_of(address, made)
        answer = client.get(path)
        if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            continue
        page.goto(path)
        opened += 1
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert page.evaluate("window.xssRan") is None, address
        assert page.evaluate("window.complaints") == [], address
    assert dialogs == []
    assert missing == []
    assert opened >= (70 if every else len(SOME))
