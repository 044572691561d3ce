"""Files in the database, in pieces, so that web and workers may run on different machines."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from accounts.models import StoredFile, StoredFileChunk

PIECE = 1 << 20


def store_file(*, stream: IO[bytes], name: str, content_type: str, expires_at: datetime | None) -> StoredFile:
    """Keep what the stream holds, a megabyte at a time, in the running scope."""
    file = StoredFile.objects.create(name=name[:300], content_type=content_type[:100], expires_at=expires_at)
    digest, size, position = hashlib.sha256(), 0, 0
    while piece := stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
        StoredFileChunk.objects.create(file=file, position=position, data=piece)
        position += 1
    file.size, file.digest = size, digest.hexdigest()
    file.save(update_fields=["size", "digest"])
    return file


def pieces(file: StoredFile) -> Iterator[bytes]:
    """The content, one piece in memory at a time; read inside a scope."""
    chunks = StoredFileChunk.objects.filter(file=file).order_by("position").values_list("data", flat=True)
    for data in chunks.iterator(chunk_size=4):
        yield bytes(data)


@contextmanager
def opened_copy(file: StoredFile) -> Iterator[Path]:
    """A copy on this machine's disk with the file's own ending; gone afterwards. Enter it inside a scope."""
    with tempfile.TemporaryDirectory(prefix="cs-file-") as folder:
        path = Path(folder) / f"content{Path(file.name).suffix.lower()[:10]}"
        with path.open("wb") as copy:
            for piece in pieces(file):
                copy.write(piece)
        yield path


def remove_expired_files(*, now: datetime) -> int:
    """Delete files of the running workspace whose time is over; returns how many."""
    expired = list(StoredFile.objects.filter(expires_at__lte=now).values_list("pk", flat=True)[:1000])
    StoredFileChunk.objects.filter(file__in=expired).delete()
    return int(StoredFile.objects.filter(pk__in=expired).delete()[0])
