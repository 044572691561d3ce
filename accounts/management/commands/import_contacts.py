"""`manage.py import_contacts`: bring contacts in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import contacts from a CSV or JSON Lines file."
    kind = "contacts"
