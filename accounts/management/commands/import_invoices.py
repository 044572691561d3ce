"""`manage.py import_invoices`: bring invoices in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import invoices from a CSV or JSON Lines file."
    kind = "invoices"
