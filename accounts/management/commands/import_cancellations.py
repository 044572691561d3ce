"""`manage.py import_cancellations`: bring cancellations in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import cancellations from a CSV or JSON Lines file."
    kind = "cancellations"
