"""Every template compiles, holds nothing the content security policy forbids, and explains its parameters."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import translation

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FORBIDDEN = {
    "inline style": re.compile(r"\sstyle\s*=|<style\b"),
    "inline script": re.compile(r"<script\b(?![^>]*(?:\bsrc=|type=\"(?:application|text)/(?:json|plain)))"),
    "inline handler": re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    "script address": re.compile(r"javascript:"),
    "evaluated htmx": re.compile(r"hx-on[:-]|hx-(?:vals|headers)\s*=\s*[\"']js:"),
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_template(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    get_template(_name(path))
    # Mail programs drop style sheets: a mail's styles stand on its elements.
    allowed = {"inline style"} if _name(path).startswith("mail/") else set()
    found = {what for what, pattern in FORBIDDEN.items() if pattern.search(source)}
    assert found <= allowed


@pytest.mark.parametrize(
    "planted",
    [
        '<p style="x">',
        "<script>1</script>",
        '<a onclick="x">',
        '<a href="javascript:x">',
        '<p hx-on:click="x">',
    ],
)
def test_planted_inline_code_is_found(planted: str) -> None:
    assert any(pattern.search(planted) for pattern in FORBIDDEN.values())


@pytest.mark.parametrize("path", sorted((ROOT / "templates/components").glob("*.html")), ids=_name)
def test_component_documents_itself(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("{% comment %}")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("code", ["400", "403", "404", "409", "429", "500", "503"])
def test_error_page_needs_no_context(code: str, language: str) -> None:
    with translation.override(language):
        page = render_to_string(f"errors/{code}.html")

    assert code in page
    assert f'lang="{language}"' in page


def test_public_page_frame() -> None:
    page = render_to_string(
        "public_base.html", {"workspace": {"name": "Acme"}}, RequestFactory().get("/s/x/")
    )

    assert "Acme" in page
    assert "noindex" in page


def _named_in_code() -> set[str]:
    packages = ("cs_platform", "accounts", "health", "feedback", "onboarding", "dunning", "winback")
    sources = [
        path.read_text(encoding="utf-8") for package in packages for path in (ROOT / package).rglob("*.py")
    ]
    return {
        name
        for source in sources
        for name in re.findall(r"[\"']([a-z_0-9/]+\.html)(?:#[a-z_-]+)?[\"']", source)
    }


def test_templates_named_in_code_exist() -> None:
    missing = {name for name in _named_in_code() if not (ROOT / "templates" / name).exists()}
    assert not missing


def test_included_templates_exist() -> None:
    included = {
        (_name(path), name)
        for path in TEMPLATES
        for name in re.findall(r"{%\s*(?:include|extends)\s+\"([^\"]+)\"", path.read_text(encoding="utf-8"))
    }
    for where, name in included:
        assert get_template(name), where


def _names_lost(source: str) -> set[str]:
    """Names that one block gives and another one uses, where they are empty."""
    blocks: dict[str, str] = {}
    open_blocks = [""]
    for part in re.split(r"({% (?:end)?block\b[^%]*%})", source):
        if part.startswith("{% block"):
            open_blocks.append(part.split()[2])
        elif part.startswith("{% endblock"):
            open_blocks.pop()
        else:
            blocks[open_blocks[-1]] = blocks.get(open_blocks[-1], "") + part
    lost = set()
    for name, text in blocks.items():
        for given in re.findall(r"\bas (\w+) %}", text) if name else ():
            known = re.compile(rf"\bas {given}\b|\b{given}=|\bfor {given} in\b")
            used = re.compile(rf"\{{[{{%][^{{}}]*(?<![\w.\"']){given}\b(?!=)")
            others = [one for other, one in blocks.items() if other != name and not known.search(one)]
            lost |= {given for one in others if used.search(one)}
    return lost


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_what_a_block_names_is_used_in_it_alone(path: Path) -> None:
    """A block forgets its names at its end: a link made of one in the next block would lead nowhere."""
    assert _names_lost(path.read_text(encoding="utf-8")) == set()


def test_a_name_from_another_block_is_found() -> None:
    planted = (
        '{% block a %}{% url "x" as here %}{% endblock %}{% block b %}<a href="{{ here }}">{% endblock %}'
    )
    assert _names_lost(planted) == {"here"}
    assert _names_lost(planted.replace("{{ here }}", '{% url "x" as here %}{{ here }}')) == set()
