"""The committed style sheet knows every class the templates use.

That it is what its sources compile to is judged by `make check`, where Node is installed.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPILED = ROOT / "static/css/app.css"
# Hooks of scripts and of other libraries; they need no rule.
UNSTYLED = {"list-area", "palette-results", "chart-table", "htmx-request", "form-actions"}


def _defined() -> set[str]:
    names = re.findall(r"\.((?:\\.|[\w-])+)", COMPILED.read_text(encoding="utf-8"))
    return {re.sub(r"\\(.)", r"\1", name) for name in names}


def _without_tags(value: str) -> str:
    """Conditional words stay; words joined to a tag or variable are left out, for they are known only when rendered."""
    value = re.sub(r"{%[^%]*%}", " ", value)
    return re.sub(r"\S*{{[^}]*}}\S*", " ", value)


def _used(source: str) -> set[str]:
    source = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", source, flags=re.S)
    tags = re.sub(r"{%.*?%}", lambda tag: tag.group().replace('"', "'"), source)
    return {word for value in re.findall(r'\bclass="([^"]*)"', tags) for word in _without_tags(value).split()}


def test_every_class_is_defined() -> None:
    known = _defined() | UNSTYLED
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in ROOT.glob("templates/**/*.html")
        if path.parent.name != "mail"  # a mail brings its own
        for name in _used(path.read_text(encoding="utf-8")) - known
    }
    assert not missing, f"no rule for these classes; run `npm run css` or mend the name: {sorted(missing)}"


def test_planted_unknown_class_is_found() -> None:
    assert (
        "no-such-class" in _used('<p class="muted {% if x == "a" %}no-such-class{% endif %}">') - _defined()
    )


def _colours(source: str) -> dict[str, str]:
    return dict(
        re.findall(r"^\s+(--(?!radius|size|border|depth|noise|shadow)[\w-]+): (.*?);", source, flags=re.M)
    )


def test_paper_has_the_colours_of_the_light_theme() -> None:
    theme = (ROOT / "static/src/theme.pcss").read_text(encoding="utf-8")
    light = theme[theme.index('name: "light"') : theme.index('name: "dark"')]
    paper = (ROOT / "static/src/print.pcss").read_text(encoding="utf-8")

    assert _colours(paper) == _colours(light)
