"""Every door on one page."""

from django.contrib import admin
from django.urls import include, path

from accounts import legal_pages
from accounts.views import (
    agreeing,
    agreements_page,
    api_key_pages,
    audit_trail,
    cookies,
    factors,
    invited,
    members,
    my_activity,
    my_data,
    my_sign_ins,
    organization,
    profile,
    recovering,
    roles_page,
    security,
    security_settings,
    sign_in,
    sign_up,
)
from channels_cfg import views as channel_pages
from conversations import live_pages
from conversations.views import inbox
from iva import api, home, views

urlpatterns = [
    path("", views.front, name="front"),
    path("", include(home.urlpatterns)),
    path("", include(sign_in.urlpatterns)),
    path("", include(sign_up.urlpatterns)),
    path("", include(recovering.urlpatterns)),
    path("", include(invited.urlpatterns)),
    path("", include(factors.urlpatterns)),
    path("", include(security.urlpatterns)),
    path("", include(agreeing.urlpatterns)),
    path("", include(profile.urlpatterns)),
    path("", include(my_sign_ins.urlpatterns)),
    path("", include(my_activity.urlpatterns)),
    path("", include(my_data.urlpatterns)),
    path("", include(cookies.urlpatterns)),
    path("", include(organization.urlpatterns)),
    path("", include(members.urlpatterns)),
    path("", include(roles_page.urlpatterns)),
    path("", include(security_settings.urlpatterns)),
    path("", include(channel_pages.urlpatterns)),
    path("", include(api_key_pages.urlpatterns)),
    path("", include(agreements_page.urlpatterns)),
    path("", include(audit_trail.urlpatterns)),
    path("", include(inbox.urlpatterns)),
    path("", include(live_pages.urlpatterns)),
    path("healthz", views.alive),
    path("readyz", views.ready),
    path("metrics", views.metrics_page),
    path("legal/", include(legal_pages.urlpatterns)),
    path("api/v1/", include(api.urlpatterns)),
    path("api/", include(api.document_urlpatterns)),
    path("admin/", admin.site.urls),
]

handler400 = "iva.problems.bad_request"
handler403 = "iva.problems.permission_denied"
handler404 = "iva.problems.not_found"
handler500 = "iva.problems.server_error"
