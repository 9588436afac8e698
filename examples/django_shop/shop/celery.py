"""The Celery app, as in any Django project, and one line more."""

import os

from celery import Celery

import faena

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
faena.install(app)
app.autodiscover_tasks()
