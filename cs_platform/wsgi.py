"""Entry point of the web server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
os.environ.setdefault("CS_PROCESS", "web")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
