"""Django's admin of the price lists' tables."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from faena_systems.pricelists.models import ArchivoPendiente, PrecioDeLista

pytestmark = pytest.mark.django_db

MODELS = list(apps.get_app_config("importaciones").get_models())


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("ana"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_is_listed_and_searched(boss, imported, model):
    imported([["7", "Clavo", 5, "", "", "7790001"], ["8", "Tuerca", 6]])
    name = f"admin:importaciones_{model._meta.model_name}"
    assert boss.get(reverse(f"{name}_changelist"), {"q": "7"}).status_code == 200
    assert boss.get(reverse(f"{name}_change", args=[model._default_manager.first().pk])).status_code == 200
    assert admin.site.get_model_admin(model).search_fields


def test_a_long_list_takes_few_queries(boss, proveedor, django_assert_max_num_queries):
    PrecioDeLista.objects.bulk_create(
        PrecioDeLista(proveedor=proveedor, codigo=f"{n}/", descripcion="Clavo", precio=1) for n in range(500)
    )
    with django_assert_max_num_queries(10):
        boss.get(reverse("admin:importaciones_preciodelista_changelist"))


def test_deleting_a_pending_file_deletes_its_csv(boss, pending, django_capture_on_commit_callbacks):
    one, two = pending(), pending()
    with django_capture_on_commit_callbacks(execute=True):
        boss.post(reverse("admin:importaciones_archivopendiente_delete", args=[one.pk]), {"post": "yes"})
        action = {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"}
        boss.post(reverse("admin:importaciones_archivopendiente_changelist"), action)
    assert not ArchivoPendiente.objects.exists()
    assert not one.csv_path.exists()
    assert not two.csv_path.exists()
