#!/usr/bin/env python
"""Django's command line. It starts the embedded Postgres and Valkey when the environment names no servers."""

import os
import sys

# These neither read nor write the database; everything else gets the servers.
WITHOUT_DATABASE = frozenset(
    {
        "",
        "help",
        "--help",
        "-h",
        "version",
        "--version",
        "makemessages",
        "compilemessages",
        "startapp",
        "collectstatic",
    }
)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in WITHOUT_DATABASE:
        return execute()
    from cs_platform.embedded.binaries import BinaryMissing
    from cs_platform.embedded.hold import held
    from cs_platform.embedded.postgres import ServerFailed

    try:
        with held():
            return execute()
    except (ServerFailed, BinaryMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def execute() -> int:
    from django.core.management import execute_from_command_line

    from cs_platform.catalogues import compile_catalogues

    compile_catalogues()
    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
