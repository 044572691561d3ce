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


def test_lock_file_names_no_host() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
