"""Every door of the product, and the same endpoint as others would have written it."""

from django.urls import include, path

from bench.naive import api, handwritten

urlpatterns = [
    path("", include("iva.urls")),
    path("naive/messages/", api.MessagesView.as_view()),
    path("leanest/messages/", api.LeanestView.as_view()),
    path("handwritten/messages/", handwritten.post_message),
    path("empty/", handwritten.nothing),
]
