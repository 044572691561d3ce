"""Accessibility rules of WCAG 2.2 AA, checked in the page by the vendored axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = next((Path(__file__).parent.parent / "frontend" / "vendor").glob("axe-core-*/axe.min.js"))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """One line per violation: rule, impact, the first elements that break it."""
    if not page.evaluate("typeof axe === 'object'"):
        # Not as a script element: the page's content security policy would rightly refuse it.
        page.evaluate(SOURCE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)
    return [
        f"{rule['id']} ({rule['impact']}): " + "; ".join(node["html"][:120] for node in rule["nodes"][:3])
        for rule in found["violations"]
    ]
