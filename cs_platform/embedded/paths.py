"""Where the embedded servers keep their files."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# A Unix socket's path is limited to 107 bytes; Postgres appends ".s.PGSQL.5432.lock" to the folder.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Paths:
    """All folders and files below one data folder."""

    var: Path

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def secrets(self) -> Path:
        return self.var / "secrets"

    @property
    def mail(self) -> Path:
        return self.var / "mail"

    @property
    def fallback_marker(self) -> Path:
        """Names the folder of Postgres where it has to run as `nobody` outside the data folder."""
        return self.var / "postgres-folder"

    @property
    def postgres_sockets(self) -> Path:
        if self.fallback_marker.exists():
            return Path(self.fallback_marker.read_text().strip())
        return self.sockets

    @property
    def valkey_data(self) -> Path:
        return self.var / "valkey"

    @property
    def sockets(self) -> Path:
        """The data folder's own `run`, or a short folder named after it where that path is too long."""
        if len(os.fsencode(self.run)) <= LONGEST_SOCKET_FOLDER:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"cs-{os.getuid()}-{digest}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def create(self) -> None:
        """Make every folder, closed to other users of the machine.

        Raises PermissionError when the short socket folder belongs to somebody else.
        """
        for folder in (self.var, self.run, self.log, self.secrets, self.mail, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = self.sockets.stat()
        if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
            raise PermissionError(f"{self.sockets} is not a private folder of this user.")


def current() -> Paths:
    """The data folder of this process: `CS_VAR_DIR`, by default `var/` in the repository."""
    return Paths(Path(os.environ.get("CS_VAR_DIR") or REPOSITORY / "var").resolve())


def database_url(sockets: Path, name: str = "cs_platform") -> str:
    return f"postgres://cs_owner@/{name}?host={sockets}"


def broker_url(socket: Path) -> str:
    return f"unix://{socket}?db=0"


def missing_services() -> frozenset[str]:
    """The servers that the environment does not bring along: a subset of {"postgres", "valkey"}."""
    names = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
    return frozenset(
        service
        for service, variable in names.items()
        if not os.environ.get(variable) and not os.environ.get(f"{variable}_FILE")
    )
