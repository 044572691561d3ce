"""`python -m bench [-k pattern] [--json]`: run the measures on a database of their own."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from cs_platform.embedded import paths
from cs_platform.embedded.postgres import Postgres

ENVIRONMENT = {
    "CS_TESTING": "1",
    "SECRET_KEY": "only-for-benchmarks-" + "0123456789abcdef" * 3,
    "FIELD_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "EMAIL_URL": "console:",
}


def main() -> int:
    """Print one line (or one JSON object) per measure; 0 also where a goal is missed: it is named, not hidden."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("-k", default="", help="only measures whose name contains this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cs-bench-"))
    place = paths.Paths(folder)
    place.create()
    postgres = Postgres(place)
    try:
        postgres.start()
        _start_django(place, postgres, folder)
        return _run(options.k, as_json=options.json, postgres=postgres)
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
        if postgres.identity.home != folder:
            shutil.rmtree(postgres.identity.home, ignore_errors=True)


def _start_django(place: paths.Paths, postgres: Postgres, folder: Path) -> None:
    os.environ |= ENVIRONMENT | {
        "DATABASE_URL": paths.database_url(postgres.sockets),
        "REDIS_URL": paths.broker_url(place.valkey_socket),
        "CS_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "cs_platform.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _run(pattern: str, *, as_json: bool, postgres: Postgres) -> int:
    import bench
    from bench.measures import measures, run
    from bench.world import World

    for module in pkgutil.iter_modules(bench.__path__):
        if module.name.startswith("measure_"):
            importlib.import_module(f"bench.{module.name}")
    wanted = [item for item in measures if pattern in item.name]
    if not wanted:
        print(f"no measure matches {pattern!r}: {', '.join(item.name for item in measures)}", file=sys.stderr)
        return 2
    world = World(postgres)
    for item in wanted:
        figure = run(item, world)
        print(json.dumps(asdict(figure)) if as_json else figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
