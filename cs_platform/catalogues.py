"""Compiled translation catalogues, made at start from the `.po` files: no gettext needed, nothing binary in git."""

import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """Write each `.mo` file that is missing or older than its `.po`; returns what was written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        write_catalogue(source, target)
        written.append(target)
    return written


def write_catalogue(source: Path, target: Path) -> None:
    """Compile one file. The rename is atomic, for several processes may start at once."""
    import polib  # a moment of work only when something changed

    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    polib.pofile(str(source)).save_as_mofile(str(temporary))
    temporary.replace(target)
