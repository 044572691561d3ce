"""What the import commands have in common."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandParser

from accounts.imports.encodings import ENCODINGS
from accounts.imports.mapping import ImportOptions, parse_mappings
from accounts.imports.parsing import Refused
from accounts.imports.problems import FileProblem
from accounts.management.base import Failure, ReportingCommand, find_user, find_workspace
from accounts.services.imports import ImportOutcome, prepare_file, run_import
from accounts.tasks import nudge

_WARNINGS = {
    "unknown_csm": "{rows} rows name {value} as CSM, who is no member of the workspace: left without a CSM",
    "not_a_domain": "{rows} rows have {value} as domain, which is none: left without a domain",
    "unknown_contact": "{rows} rows name the contact {value}, who is unknown: left out",
}


class ImportCommand(ReportingCommand):
    """`manage.py import_<kind> --workspace SLUG FILE`; see docs/imports.md."""

    kind = ""

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(_file_first(argv))

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="a CSV file with a header, or JSON Lines; UTF-8")
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument(
            "--map",
            nargs="+",
            action="extend",
            default=[],
            metavar="COLUMN=FIELD",
            help="which column is which field",
        )
        parser.add_argument(
            "--drop", nargs="+", action="extend", default=[], metavar="COLUMN", help="columns to leave out"
        )
        parser.add_argument(
            "--date-format",
            default="iso",
            metavar="FORMAT",
            help="iso, day-first, month-first or a strptime pattern",
        )
        parser.add_argument(
            "--known-at", default="", metavar="DATE", help="when the file was true (dates the traits in it)"
        )
        parser.add_argument("--encoding", default="utf-8", choices=list(ENCODINGS), help="of the text")
        parser.add_argument(
            "--delimiter", default="", metavar="CHARACTER", help="of a CSV file (default: found by itself)"
        )
        parser.add_argument("--dry-run", action="store_true", help="count and check, write nothing")
        parser.add_argument(
            "--errors", type=Path, metavar="FILE", help="write the refused rows to a CSV file"
        )
        parser.add_argument("--user", metavar="EMAIL", help="in whose name (for the audit log)")

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        workspace = find_workspace(options["workspace"])
        started = time.monotonic()
        try:
            prepared = prepare_file(
                workspace=workspace, kind=self.kind, path=options["file"], options=_options(options)
            )
            with _ErrorFile(options["errors"]) as errors:
                outcome = run_import(
                    workspace=workspace,
                    prepared=prepared,
                    acting_user=find_user(options["user"]),
                    dry_run=options["dry_run"],
                    progress=_Progress(self.stderr, self.kind),
                    on_refused=errors.add,
                )
        except FileProblem as problem:
            raise Failure(problem.code, str(problem), kind=self.kind, file=str(options["file"])) from None
        nudge()
        return {**_answer(outcome), "seconds": round(time.monotonic() - started, 2)}

    def report(self, result: dict[str, Any]) -> None:
        for line in _lines(result):
            self.stdout.write(line)


def _file_first(argv: list[str]) -> list[str]:
    """`--map a=b FILE` must not take the file for a mapping: what has no equals sign moves to the front."""
    moved: list[str] = []
    kept, in_map = list(argv[:2]), False
    for token in argv[2:]:
        in_map = token == "--map" or (in_map and not token.startswith("--"))
        (moved if in_map and token != "--map" and "=" not in token else kept).append(token)
    return [*kept[:2], *moved, *kept[2:]]


def _lines(result: dict[str, Any]) -> list[str]:
    counts = ", ".join(
        f"{result[f'rows_{n}']:,} {n}" for n in ("created", "updated", "unchanged", "rejected")
    )
    head = "dry run, nothing written" if result["dry_run"] else f"import {result['import']}"
    found = [f"{result['kind']}: {result['rows_read']:,} rows: {counts} ({result['seconds']} s; {head})"]
    found += [f"  line {r['line']}: {r['message']}" for r in result["rejects"]]
    if result["rows_rejected"] > len(result["rejects"]):
        found.append(
            f"  … {result['rows_rejected'] - len(result['rejects']):,} more; --errors FILE lists all"
        )
    found += [f"  note: {_WARNINGS[w['code']].format(**w)}" for w in result["warnings"]]
    found += [f"  note: column {c} looks like {f}: --map {c}={f}" for c, f in result["suggestions"].items()]
    return found


def _options(options: dict[str, Any]) -> ImportOptions:
    return ImportOptions(
        mapping=parse_mappings(options["map"]),
        drop=frozenset(options["drop"]),
        date_format=options["date_format"],
        known_at=options["known_at"],
        encoding=options["encoding"],
        delimiter=options["delimiter"],
    )


def _answer(outcome: ImportOutcome) -> dict[str, Any]:
    row = outcome.source_import
    return {
        "import": None if outcome.is_dry_run else str(row.public_id),
        "kind": row.kind,
        "status": "dry_run" if outcome.is_dry_run else row.status,
        "dry_run": outcome.is_dry_run,
        **outcome.counts(),
        "columns": outcome.columns,
        "suggestions": outcome.suggestions,
        "rejects": [_reject(refused) for refused in outcome.refused[:20]],
        "warnings": outcome.warnings,
    }


def _reject(refused: Refused) -> dict[str, Any]:
    problem = refused.problem
    return {"line": refused.line, "field": problem.field, "reason": problem.code, "message": str(problem)}


class _Progress:
    """A line on standard error, at most twice a second."""

    def __init__(self, stream: Any, kind: str) -> None:
        self._stream, self._kind = stream, kind
        self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - self._last < 0.5:
            return
        self._last = now
        self._stream.write(f"{self._kind}: {done:,} of {total:,} rows", ending="\n")


class _ErrorFile:
    """The report of refused rows: line, field, reason, message."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stream: IO[str] | None = None

    def __enter__(self) -> _ErrorFile:
        if self._path:
            try:
                self._stream = self._path.open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise Failure("errors_file", f"Cannot write {self._path}: {error.strerror}.") from None
            self._writer = csv.writer(self._stream)
            self._writer.writerow(["line", "field", "reason", "message"])
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream:
            self._stream.close()

    def add(self, refused: Refused) -> None:
        if self._stream:
            problem = refused.problem
            self._writer.writerow([refused.line, problem.field, problem.code, _unquoted(str(problem))])


def _unquoted(text: str) -> str:
    """No spreadsheet may take a message for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
