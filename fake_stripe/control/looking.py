"""What the fake saw and did: ledger, requests, statistics, raw records."""

from typing import Any

from fake_stripe.control import Wrong, command
from fake_stripe.session import Session
from fake_stripe.wire import Json


@command("GET", "ledger")
def ledger(session: Session, given: Json) -> Json:
    """Every charge that was really made (?invoice=, ?status=), oldest first."""
    tests, values = ["1"], list[Any]()
    for name in ("invoice", "status", "customer"):
        if name in given:
            tests.append(f"{name} = ?")
            values.append(given[name])
    rows = session.store.rows(f"SELECT * FROM ledger WHERE {' AND '.join(tests)} ORDER BY seq", tuple(values))
    return {"data": rows}


@command("GET", "ledger/summary")
def summary(session: Session, given: Json) -> Json:
    """Counts, sums, and `doubles`: invoices with more than one successful charge."""
    db = session.store
    by_status = db.rows("SELECT status, count(*) AS n, sum(amount) AS amount FROM ledger GROUP BY status")
    doubles = db.rows(
        "SELECT invoice, count(*) AS n FROM ledger WHERE status = 'succeeded' AND invoice IS NOT NULL "
        "GROUP BY invoice HAVING count(*) > 1"
    )
    paid = db.rows("SELECT count(*) AS n FROM records WHERE kind = 'invoice' AND status = 'paid'")
    return {
        "charges": {row["status"]: {"count": row["n"], "amount": row["amount"]} for row in by_status},
        "doubles": {row["invoice"]: row["n"] for row in doubles},
        "invoices_paid": paid[0]["n"],
    }


@command("GET", "requests")
def requests(session: Session, given: Json) -> Json:
    """The log, oldest first: ?path= (GLOB), ?method=, ?key=, ?after= (seq), ?limit= (1000)."""
    tests, values = ["1"], list[Any]()
    for name, test in (
        ("path", "path GLOB ?"),
        ("method", "method = ?"),
        ("key", "key = ?"),
        ("after", "seq > ?"),
    ):
        if name in given:
            tests.append(test)
            values.append(int(given[name]) if name == "after" else given[name])
    values.append(int(given.get("limit", 1000)))
    rows = session.store.rows(
        f"SELECT * FROM requests WHERE {' AND '.join(tests)} ORDER BY seq LIMIT ?", tuple(values)
    )
    return {"data": rows}


@command("GET", "stats")
def stats(session: Session, given: Json) -> Json:
    """Counts by status, the highest number of requests within one second, refused parameters, bugs of the fake."""
    db, world = session.store, session.world
    by_status = db.rows("SELECT status, count(*) AS n FROM requests GROUP BY status")
    problems = db.rows("SELECT path, problem, body FROM requests WHERE problem != '' ORDER BY seq LIMIT 50")
    replays = db.rows("SELECT count(*) AS n FROM requests WHERE replayed = 1")
    return {
        "requests": sum(row["n"] for row in by_status),
        "by_status": {str(row["status"]): row["n"] for row in by_status},
        "replays": replays[0]["n"],
        "peak_per_second": world.peak,
        "problems": problems,
        "faults": {rule.kind: rule.hits for rule in world.faults.rules},
    }


@command("POST", "stats/clear")
def clear_stats(session: Session, given: Json) -> Json:
    """Forget the request log and the peak; objects, ledger and idempotency stay."""
    session.store.db.execute("DELETE FROM requests")
    session.world.peak = 0
    session.world.recent.clear()
    return {"cleared": True}


@command("GET", "count")
def count(session: Session, given: Json) -> Json:
    """?kind=event: how many objects of this kind there are; for who would page through all of them to know."""
    found = session.store.rows("SELECT count(*) AS n FROM records WHERE kind = ?", (given["kind"],))
    return {"count": found[0]["n"]}


@command("GET", "object")
def raw(session: Session, given: Json) -> Json:
    """?id=: the record as stored, hidden fields (plan, uses, due) included."""
    rows = session.store.db.execute("SELECT kind FROM records WHERE id = ?", (given["id"],)).fetchone()
    if rows is None:
        raise Wrong(f"no object {given['id']}")
    return session.store.load(rows[0], given["id"]) or {}
