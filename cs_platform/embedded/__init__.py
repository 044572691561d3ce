"""Postgres and Valkey as child processes, so that one command starts the product without Docker.

Used only where `DATABASE_URL` or `REDIS_URL` is absent. Nothing here imports Django's settings: the servers run
before the settings are read.
"""
