"""Fixtures that every test may use."""

from tests.stack import django_db_setup, valkey, valkey_server

__all__ = ["django_db_setup", "valkey", "valkey_server"]
