"""Keys that the embedded default generates once, so that the first start needs no configuration."""

import base64
import os
import secrets
from pathlib import Path


def stored(folder: Path, name: str) -> str:
    """The key in `folder/name`, created with 32 random bytes (base64) on first use and readable by its owner only."""
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
        try:
            os.link(temporary, path)  # fails when another process was faster: its key is the one
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()
