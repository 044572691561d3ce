"""Addresses of mail texts, branding and mails by hand."""

from django.urls import path

from accounts.views import branding, mails, texts

urlpatterns = [
    path("settings/texts/", texts.texts, name="texts"),
    path("settings/texts/new/", texts.new_text, name="new_text"),
    path("settings/texts/<uuid:public_id>/", texts.text, name="text"),
    path("settings/texts/<uuid:public_id>/preview/", texts.text_preview, name="text_preview"),
    path(
        "settings/texts/<uuid:public_id>/draft-discards/", texts.text_draft_discard, name="text_draft_discard"
    ),
    path("settings/texts/<uuid:public_id>/archive/", texts.text_archive, name="text_archive"),
    path("settings/texts/versions/<uuid:public_id>/rollbacks/", texts.text_rollback, name="text_rollback"),
    path("settings/branding/", branding.branding, name="branding"),
    path("settings/branding/logo/", branding.branding_logo, name="branding_logo"),
    path("settings/branding/preview/", branding.branding_preview, name="branding_preview"),
    path("settings/branding/confirmations/", branding.branding_confirmations, name="branding_confirmations"),
    path("brand/<uuid:workspace>/<uuid:public_id>.png", branding.brand_logo, name="brand_logo"),
    path("brand/colours/<str:colour>.css", branding.brand_style, name="brand_style"),
    path("sender/<str:token>/", branding.sender_confirmation, name="sender_confirmation"),
    path("accounts/<uuid:public_id>/mail/", mails.write_mail, name="write_mail"),
    path("accounts/<uuid:public_id>/mail/preview/", mails.mail_preview, name="mail_preview"),
    path("mails/<uuid:public_id>/", mails.mail_shown, name="mail_shown"),
    path("mails/<uuid:public_id>/frame/", mails.mail_shown_frame, name="mail_shown_frame"),
    path("mails/<uuid:public_id>/withdrawals/", mails.mail_withdrawals, name="mail_withdrawals"),
]
