"""Every door on one page."""

from django.contrib import admin
from django.urls import include, path

from accounts import legal_pages
from accounts.views import agreeing, factors, invited, recovering, security, sign_in, sign_up
from iva import api, views

urlpatterns = [
    path("", views.front),
    path("overview/", views.home, name="home"),
    path("", include(sign_in.urlpatterns)),
    path("", include(sign_up.urlpatterns)),
    path("", include(recovering.urlpatterns)),
    path("", include(invited.urlpatterns)),
    path("", include(factors.urlpatterns)),
    path("", include(security.urlpatterns)),
    path("", include(agreeing.urlpatterns)),
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
