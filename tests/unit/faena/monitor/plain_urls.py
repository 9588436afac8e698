"""The addresses of a project that has nothing of Faena's own but its app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("faena/", include("faena.monitor.urls"))]
