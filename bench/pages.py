"""`python -m bench.pages [-k text] [--calls 20] [--json]`: every page of the demo workspace, one row each.

The demo is made in a database of its own; its owner walks from page to page by links, one address per view, and
each page is then called again and again through Django's own client, without a network. `floor` is the time of
the smallest page of the same round (`/healthz`), so that a busy machine shows as a large floor.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from bench.__main__ import _start_django
from cs_platform.embedded import paths
from cs_platform.embedded.postgres import Postgres

FLOOR = "/healthz"
MOST_SECONDS, MOST_QUERIES, MOST_KB = 0.100, 30, 150
# Acts behind a GET address, files, and pages of other kinds of users.
_LEFT_OUT = (
    "/accounts/logout",
    "/static/",
    "/media/",
    "export",
    ".csv",
    "/v1/",
    "openid",
    "/login/",
    "logout",
)
_HREF = re.compile(rb'\s(?:href|hx-get)="([^"#]+)"')


@dataclass(frozen=True)
class PageFigure:
    """One page: seconds of the server, statements, and kilobytes with gzip."""

    view: str
    path: str
    status: int
    p50: float
    p95: float
    least: float
    queries: int
    kilobytes: float

    @property
    def fits(self) -> bool:
        return self.p95 <= MOST_SECONDS and self.queries <= MOST_QUERIES and self.kilobytes <= MOST_KB

    def line(self) -> str:
        return (
            f"{self.view:<36} {self.p50 * 1000:7.1f} {self.p95 * 1000:7.1f} {self.least * 1000:7.1f}"
            f" {self.queries:4d} {self.kilobytes:7.1f}  {'ok' if self.fits else 'MISSED':<6} {self.path[:70]}"
        )


def main() -> int:
    """Print a row per page, the slowest last; 0 also where a goal is missed: it is named, not hidden."""
    parser = argparse.ArgumentParser(prog="bench.pages")
    parser.add_argument("-k", default="", help="only views whose name contains this")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, help="make the demo here, or take the one that is there")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="cs-bench-"))
    is_new = not (folder / "postgres").exists()
    folder.mkdir(exist_ok=True)
    place = paths.Paths(folder)
    place.create()
    postgres = Postgres(place)
    try:
        postgres.start()
        _start_django(place, postgres, folder)
        if is_new:
            _make_demo()
        _report(_client(), options)
        return 0
    finally:
        postgres.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _make_demo() -> None:
    from django.core.management import call_command

    call_command("seed_demo", verbosity=0, stdout=sys.stderr)


def _client() -> Any:
    from django.test import Client

    from accounts.models import User
    from health.services.demo import PEOPLE

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(
        User.objects.get(email=PEOPLE[0].email), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def _report(client: Any, options: argparse.Namespace) -> None:
    figures = []
    for view, path in sorted(_walk(client)):
        if options.k in view:
            figures.append(_measured(client, view, path, options.calls))
    floor = _measured(client, "(floor)", FLOOR, options.calls)
    if options.json:
        print(json.dumps([asdict(figure) for figure in (floor, *figures)]))
        return
    print(f"{'view':<36} {'p50 ms':>7} {'p95 ms':>7} {'min ms':>7} {'SQL':>4} {'KB gz':>7}")
    for figure in (floor, *sorted(figures, key=lambda figure: figure.least)):
        print(figure.line())
    missed = [figure for figure in figures if not figure.fits]
    print(
        f"{len(figures)} pages, {len(missed)} beyond {MOST_SECONDS * 1000:.0f} ms, {MOST_QUERIES} statements, {MOST_KB} KB"
    )


def _walk(client: Any) -> Iterator[tuple[str, str]]:
    """One address for each view that a link leads to."""
    from django.urls import Resolver404, resolve

    seen: set[str] = set()
    queue = ["/"]
    while queue:
        path = queue.pop(0)
        try:
            view = resolve(path.partition("?")[0]).view_name or path
        except Resolver404:
            continue
        if "?tab=" in path:
            view += " " + path.partition("?tab=")[2].partition("&")[0]
        if view in seen:
            continue
        seen.add(view)
        answer = client.get(path)
        if answer.status_code == 302 and answer["Location"].startswith("/"):
            queue.append(answer["Location"])
            seen.discard(view)
            seen.add(f"{view} redirect")
            continue
        if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
            continue
        yield view, path
        queue += _links(answer.content, path)


def _links(content: bytes, path: str) -> Iterator[str]:
    for found in _HREF.findall(content):
        link = found.decode().replace("&amp;", "&")
        if link.startswith("?"):
            link = path.partition("?")[0] + link
        if link.startswith("/") and not link.startswith("//") and not any(part in link for part in _LEFT_OUT):
            is_tab = "?tab=" in link
            yield link if is_tab else link.partition("?")[0]


def _measured(client: Any, view: str, path: str, calls: int) -> PageFigure:
    from django.conf import settings
    from django.db import connection, reset_queries

    client.get(path)  # templates are read, the connection stands
    reset_queries()
    settings.DEBUG = True
    answer = client.get(path)
    statements = len(connection.queries)
    settings.DEBUG = False
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        client.get(path)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    return PageFigure(
        view=view,
        path=path,
        status=answer.status_code,
        p50=seconds[len(seconds) // 2],
        p95=seconds[ceil(0.95 * len(seconds)) - 1],
        least=seconds[0],
        queries=statements,
        kilobytes=len(gzip.compress(answer.content, 6)) / 1024,
    )


if __name__ == "__main__":
    sys.exit(main())
