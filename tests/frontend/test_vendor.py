"""Vendored browser files are what their checksums say, carry a licence and are named where they are used."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted([*(ROOT / "static/vendor").iterdir(), *(ROOT / "tests/frontend/vendor").iterdir()])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_checksums_and_licence(folder: Path) -> None:
    lines = (line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines())
    listed = {name: digest for digest, name in lines}
    present = {path.name for path in folder.iterdir()} - {"SHA256SUMS"}

    assert "LICENSE" in present
    assert present == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_named_versions_exist() -> None:
    sources = [
        *ROOT.glob("templates/**/*.html"),
        *ROOT.glob("static/src/*"),
        ROOT / "accounts/templatetags/ui.py",
    ]
    named = {
        match
        for path in sources
        for match in re.findall(r"vendor/([a-z-]+-[0-9][0-9.]*[0-9])", path.read_text())
    }

    assert named
    for folder in named:
        assert (ROOT / "static/vendor" / folder).is_dir(), folder


def test_the_sprite_draws_every_vendored_icon() -> None:
    """`static/icons.svg` is what `npm run vendor` makes of the single files."""
    sprite = (ROOT / "static/icons.svg").read_text()
    drawn = dict(re.findall(r'<symbol id="([a-z0-9-]+)" viewBox="0 0 24 24">(.*?)</symbol>', sprite))
    folder = next((ROOT / "static/vendor").glob("lucide-*"))
    single = {path.stem: path.read_text() for path in folder.glob("*.svg")}
    inside = {
        name: " ".join(text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")].split())
        for name, text in single.items()
    }
    assert drawn == inside


def test_lock_file_names_no_host() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
