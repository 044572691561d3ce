"""The fake's own truth: one SQLite file, one row per object, written through in one transaction per request.

WAL without waiting for the disk: what was committed survives a kill of any process (not a power cut).
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fake_stripe.wire import Json

# Fields that lists filter by and the clock looks for; a record has those that it has.
COLUMNS = (
    "created",
    "customer",
    "subscription",
    "invoice",
    "payment_intent",
    "charge",
    "status",
    "type",
    "due",
    "clock",
)
TABLES = f"""
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL,
    {", ".join(f'"{name}"' for name in COLUMNS)});
CREATE INDEX IF NOT EXISTS by_kind ON records (kind, seq, created, type, status, clock);
CREATE INDEX IF NOT EXISTS by_customer ON records (customer, kind) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_subscription ON records (subscription, kind) WHERE subscription IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_invoice ON records (invoice, kind) WHERE invoice IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_intent ON records (payment_intent, kind) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_due ON records (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT, status INTEGER, body BLOB, request TEXT, created INTEGER);
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT, at REAL, clock INTEGER, method TEXT, path TEXT,
    key TEXT, body_hash TEXT, body TEXT, status INTEGER, replayed INTEGER, fault TEXT, problem TEXT);
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, charge TEXT UNIQUE, invoice TEXT, payment_intent TEXT, customer TEXT,
    payment_method TEXT, amount INTEGER, currency TEXT, status TEXT, code TEXT, refunded INTEGER DEFAULT 0,
    key TEXT, at INTEGER);
CREATE INDEX IF NOT EXISTS ledger_by_invoice ON ledger (invoice);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT, endpoint TEXT, due REAL, tries INTEGER DEFAULT 0,
    state TEXT DEFAULT 'pending', status INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, body TEXT);
"""
EVERYTHING = ("records", "idempotency", "requests", "ledger", "deliveries", "settings")
_FIELDS = ", ".join(f'"{name}"' for name in COLUMNS)
_SAVE = (
    f"INSERT INTO records (id, kind, body, {_FIELDS}) VALUES ({', '.join('?' * (len(COLUMNS) + 3))}) "
    f"ON CONFLICT (id) DO UPDATE SET body = excluded.body, "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in COLUMNS)
)


class Store:
    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            "synchronous = OFF",
            "cache_size = -65536",
        ):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def save(self, record: Json) -> None:
        """Insert or replace by id; the columns follow the record's fields."""
        values = [record.get(name) for name in COLUMNS]
        self.db.execute(_SAVE, [record["id"], record["object"], json.dumps(record), *values])

    def load(self, kind: str, key: str) -> Json | None:
        row = self.db.execute("SELECT body FROM records WHERE id = ? AND kind = ?", (key, kind)).fetchone()
        return json.loads(row[0]) if row else None

    def find(self, kind: str, **where: Any) -> list[Json]:
        """All records of a kind with these column values, oldest first. (`=`, for `IS` would pass the indexes by.)"""
        tests = "".join(f' AND "{name}" = ?' for name in where)
        rows = self.db.execute(
            f"SELECT body FROM records WHERE kind = ?{tests} ORDER BY seq", [kind, *where.values()]
        )
        return [json.loads(body) for (body,) in rows]

    def next_due(self, clock: str | None, until: int) -> Json | None:
        """The record that is due first under this clock (None = the fake's own)."""
        row = self.db.execute(
            "SELECT body FROM records WHERE due IS NOT NULL AND due <= ? AND clock IS ? ORDER BY due, seq LIMIT 1",
            (until, clock),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def insert(self, table: str, **values: Any) -> None:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Json]:
        """Rows of another table as dicts."""
        cursor = self.db.execute(sql, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def setting(self, name: str) -> Any:
        row = self.db.execute("SELECT body FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set_setting(self, name: str, value: Any) -> None:
        self.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def clear(self) -> None:
        for table in EVERYTHING:
            self.db.execute(f"DELETE FROM {table}")
