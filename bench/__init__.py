"""Benchmarks: each figure is a ratio to a floor that is measured in the same run on the same machine.

A module `bench/measure_<what>.py` registers its measures with `bench.measures.measure`. `make bench K=pattern`
picks by name. `BENCH_ACCOUNTS` and `BENCH_EVENTS` change the size of the world (10,000 and 2,000,000).
"""
