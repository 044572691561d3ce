"""How large an upload may be, decided before any of it is kept.

Django by itself writes files of any size to disk, also for people who are not signed in: the form token, which every
POST is asked for, makes it read the whole body. What is too large is read and thrown away, so that the page can say
so; the request then carries `upload_refused`.
"""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload

MEGABYTE = 1 << 20
OTHER_MEGABYTES = 10
IMPORTS = "/settings/imports/new/"


class LimitUploads(FileUploadHandler):
    """First of the handlers: refuses by the length that the request announces, and counts what really comes."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self._room = self._limit()
        self._is_refused = content_length > self._room + MEGABYTE  # the other fields and the boundaries
        self._mark()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._is_refused:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._room -= len(raw_data)
        if self._room < 0:
            self._is_refused = True
            self._mark()
            raise StopUpload
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler has the file."""

    def _limit(self) -> int:
        request = self.request
        if request is None or request.path != IMPORTS:
            return OTHER_MEGABYTES * MEGABYTE
        return int(settings.IMPORT_MEGABYTES) * MEGABYTE if request.user.is_authenticated else 0

    def _mark(self) -> None:
        if self.request is not None:
            self.request.upload_refused = self._is_refused  # type: ignore[attr-defined]
