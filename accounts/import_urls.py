"""Addresses below /settings/imports/; included by `urls.py`."""

from django.urls import path

from accounts.views import import_uploads, imports

urlpatterns = [
    path("", imports.import_list, name="imports"),
    path("new/", import_uploads.upload_new, name="import_new"),
    path("samples/<slug:kind>/", imports.import_sample, name="import_sample"),
    path("files/<uuid:public_id>/", import_uploads.upload_page, name="import_upload"),
    path("files/<uuid:public_id>/columns/", import_uploads.columns, name="import_columns"),
    path("files/<uuid:public_id>/reading/", import_uploads.reading, name="import_reading"),
    path("files/<uuid:public_id>/progress/", import_uploads.upload_progress, name="import_progress"),
    path("files/<uuid:public_id>/import/", import_uploads.upload_import, name="import_start"),
    path("files/<uuid:public_id>/cancel/", import_uploads.upload_cancel, name="import_cancel"),
    path("files/<uuid:public_id>/retry/", import_uploads.upload_retry, name="import_retry"),
    path("files/<uuid:public_id>/discard/", import_uploads.upload_discard, name="import_discard"),
    path("files/<uuid:public_id>/errors/", import_uploads.upload_errors, name="import_upload_errors"),
    path("<uuid:public_id>/", imports.import_run, name="import_run"),
    path("<uuid:public_id>/state/", imports.import_state, name="import_state"),
    path("<uuid:public_id>/undo/", imports.import_undo, name="import_undo"),
    path("<uuid:public_id>/close/", imports.import_close, name="import_close"),
    path("<uuid:public_id>/errors/", imports.import_errors, name="import_errors"),
]
