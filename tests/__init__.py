"""Tests of the product. `tests/stack.py` gives each run its own Postgres."""
