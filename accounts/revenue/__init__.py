"""Recurring revenue in numbers: balances, the bridge between them, who stayed, and for how long. Pure: no queries.

Money is integer minor units of the report currency, times are microseconds since 1970 in UTC, intervals are
half-open. `ledger.py` holds the facts, the other modules compute from it.
"""
