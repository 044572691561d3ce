"""Finds the strings marked for translation without gettext: in Python by its syntax tree, in templates by Django."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cs_platform", "accounts", "health", "feedback", "onboarding", "dunning", "winback")
# How many leading arguments of a call are texts, and which is the message id.
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def in_python(source: str) -> Iterator[str]:
    """Message ids in Python source."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        at = 0 if _called(node) in PLAIN else 1 if _called(node) in IN_CONTEXT else None
        text = _text(node.args[at]) if at is not None and len(node.args) > at else None
        if text:
            yield text


def in_template(source: str) -> Iterator[str]:
    """Message ids in a template; Django's own converter turns it into calls."""
    for call in re.finditer(r"\b(?:n?p?gettext|_)\(.*?\)\s", templatize(source) + " ", flags=re.S):
        text = call.group().strip()
        for end in range(len(text), 0, -1):
            if text[end - 1] != ")":
                continue
            try:
                ast.parse(text[:end])
            except SyntaxError:
                continue
            yield from in_python(text[:end])
            break


def marked() -> dict[str, str]:
    """Every marked message id with one place where it stands."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            found |= {
                text: str(path.relative_to(ROOT)) for text in in_python(path.read_text(encoding="utf-8"))
            }
    for path in (ROOT / "templates").rglob("*.*"):
        if path.suffix in {".html", ".txt"}:
            found |= {
                text: str(path.relative_to(ROOT)) for text in in_template(path.read_text(encoding="utf-8"))
            }
    return found
