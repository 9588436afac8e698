"""Who may see and do what."""

from uuid import uuid4

import pytest
from django.test import Client

from faena_systems.pricelists.models import ArchivoPendiente, Proveedor

from .conftest import INICIO, url

pytestmark = pytest.mark.django_db

FILE = "0" * 32 + ".xlsx"
PAGES = [
    ("inicio",),
    ("preview", 1, FILE),
    ("confirmar", 1),
    ("pendiente", 1),
    ("resultado", uuid4()),
    ("resultado-archivo", 1),
    ("report", uuid4()),
    ("precios", 1),
    ("add-supplier",),
    ("supplier", 1),
    ("config", 1),
]
ACTIONS = [("inicio",), ("discard", 1, FILE), ("confirmar", 1), ("withdraw", 1), ("import", 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page[0])
def test_strangers_are_sent_to_the_sign_in_page(client, page):
    answer = client.get(url(*page))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=/importaciones/")


@pytest.mark.parametrize("page", ACTIONS, ids=lambda page: page[0])
def test_strangers_change_nothing(client, pending, page):
    archivo = pending()
    answer = client.post(url(*page))
    assert (answer.status_code, ArchivoPendiente.objects.get().job_id) == (302, None)
    assert archivo.csv_path.exists()


def test_viewers_look_but_do_not_touch(viewer, pending):
    archivo = pending()
    assert viewer.get(INICIO).status_code == 200
    assert "You may look, not import" in viewer.get(INICIO).text
    assert "Import now" not in viewer.get(url("confirmar", archivo.proveedor_id)).text
    for address in (INICIO, url("confirmar", archivo.proveedor_id), url("withdraw", archivo.pk)):
        assert viewer.post(address).status_code == 403
    assert viewer.get(url("add-supplier")).status_code == 403
    assert ArchivoPendiente.objects.filter(job_id=None).exists()


def test_viewers_of_an_upload_are_offered_nothing_that_they_may_not_do(web, viewer, send):
    address = send(b"7;Clavo;5\n")["Location"]
    offered = [[text in browser.get(address).text for text in ("Discard", "sticky-foot")] for browser in (web, viewer)]
    assert offered == [[True, True], [False, False]]


def test_writing_needs_the_pages_token(operator, proveedor):
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    for address in (INICIO, url("confirmar", proveedor.pk), url("add-supplier")):
        assert client.post(address, {"nombre": "x", "abreviatura": "X"}).status_code == 403
    assert Proveedor.objects.count() == 1


@pytest.mark.parametrize("name", ["withdraw", "import"])
def test_actions_are_posts(web, pending, name):
    assert web.get(url(name, pending().pk)).status_code == 405


def test_pages_forbid_everything_inline(web, proveedor):
    answer = web.get(INICIO)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    text = web.get(url("confirmar", proveedor.pk)).text
    assert "style=" not in text
    assert "onclick" not in text
