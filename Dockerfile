# One image for web, worker and beat; docker-compose.yml names the command of each.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DJANGO_SETTINGS_MODULE=cs_platform.settings \
    CS_VAR_DIR=/var/lib/cs-platform \
    STATIC_ROOT=/app/staticfiles \
    HOST=0.0.0.0

WORKDIR /app
COPY requirements/prod.txt requirements/prod.txt
RUN pip install --require-hashes --only-binary :all: -r requirements/prod.txt

COPY . .
# Values for the build only: collecting files needs settings that can be read, not a database. They stay out of the image.
RUN useradd --system --home-dir /var/lib/cs-platform --create-home platform \
    && mkdir -p /var/lib/cs-platform/run && chown -R platform /var/lib/cs-platform \
    && SECRET_KEY=build FIELD_ENCRYPTION_KEY=build DATABASE_URL=postgres://build@build/build \
       python manage.py collectstatic --noinput

USER platform
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["gunicorn", "--config", "python:cs_platform.web_server", "cs_platform.wsgi"]
