"""Backup and restore of a whole installation, as the owner role, without a superuser."""
