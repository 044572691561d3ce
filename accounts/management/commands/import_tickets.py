"""`manage.py import_tickets`: bring tickets in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import tickets from a CSV or JSON Lines file."
    kind = "tickets"
