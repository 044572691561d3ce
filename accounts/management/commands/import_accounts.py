"""`manage.py import_accounts`: bring accounts in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import accounts from a CSV or JSON Lines file."
    kind = "accounts"
