"""`manage.py import_events`: bring usage in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import events from a CSV or JSON Lines file."
    kind = "events"
