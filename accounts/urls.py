"""Addresses of the accounts app, in full paths."""

from django.urls import path

from accounts.views import (
    entrance,
    keys,
    let_go,
    mail_choices,
    members,
    notes,
    notifications,
    saved_views,
    settings,
    webhooks,
)

app_name = "accounts"
urlpatterns = [
    path("settings/", settings.settings_index, name="settings"),
    path("settings/workspace/", settings.workspace_settings, name="workspace_settings"),
    path("settings/members/", members.members_page, name="members"),
    path("settings/members/<uuid:public_id>/role/", members.member_role, name="member_role"),
    path(
        "settings/members/<uuid:public_id>/deactivation/",
        members.member_deactivation,
        name="member_deactivation",
    ),
    path(
        "settings/invitations/<uuid:public_id>/revocation/",
        members.invitation_revocation,
        name="invitation_revocation",
    ),
    path("settings/keys/", keys.keys, name="keys"),
    path("settings/keys/<uuid:public_id>/revocation/", keys.key_revocation, name="key_revocation"),
    path("settings/audit/", settings.audit_log, name="audit_log"),
    path("settings/design/", settings.design, name="design"),
    path("settings/profile/", entrance.profile, name="profile"),
    path("workspaces/current/", entrance.switch_workspace, name="switch_workspace"),
    path("invitations/<str:token>/", entrance.invitation, name="invitation"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/bell/", notifications.bell, name="bell"),
    path("notifications/readings/", notifications.readings, name="readings"),
    path("notifications/<uuid:public_id>/reading/", notifications.reading, name="reading"),
    path("settings/notifications/", notifications.notification_settings, name="notification_settings"),
    path("settings/webhooks/", webhooks.webhooks, name="webhooks"),
    path("settings/webhooks/new/", webhooks.new_webhook, name="new_webhook"),
    path("settings/webhooks/<uuid:public_id>/", webhooks.webhook, name="webhook"),
    path("settings/webhooks/<uuid:public_id>/change/", webhooks.webhook_change, name="webhook_change"),
    path("settings/webhooks/<uuid:public_id>/tests/", webhooks.webhook_tests, name="webhook_tests"),
    path("settings/webhooks/<uuid:public_id>/switch/", webhooks.webhook_switch, name="webhook_switch"),
    path("settings/webhooks/<uuid:public_id>/rotation/", webhooks.webhook_rotation, name="webhook_rotation"),
    path("settings/webhooks/<uuid:public_id>/deletion/", webhooks.webhook_deletion, name="webhook_deletion"),
    path(
        "settings/webhooks/deliveries/<uuid:public_id>/replay/",
        webhooks.webhook_replay,
        name="webhook_replay",
    ),
    path("unsubscribe/<str:token>/", mail_choices.unsubscribe_page, name="unsubscribe"),
    path("mail-preferences/<str:token>/", mail_choices.mail_preferences, name="mail_preferences"),
    path("saved-views/", saved_views.saved_views, name="saved_views"),
    path(
        "saved-views/<uuid:public_id>/deletions/",
        saved_views.saved_view_deletions,
        name="saved_view_deletions",
    ),
    path("accounts/<uuid:public_id>/notes/", notes.account_notes, name="account_notes"),
    path("accounts/<uuid:public_id>/touches/", notes.touches, name="touches"),
    path("accounts/<uuid:public_id>/let-go/", let_go.let_go, name="let_go"),
    path(
        "accounts/<uuid:public_id>/let-go/withdrawals/", let_go.let_go_withdrawals, name="let_go_withdrawals"
    ),
    path("notes/<uuid:public_id>/", notes.note, name="note"),
    path("notes/<uuid:public_id>/deletions/", notes.note_deletions, name="note_deletions"),
    path("notes/<uuid:public_id>/restorations/", notes.note_restorations, name="note_restorations"),
    path("touches/<uuid:public_id>/deletions/", notes.touch_deletions, name="touch_deletions"),
]
