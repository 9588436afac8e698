"""How such a project tests its jobs: on a database of its own, without a broker and a worker. Run it with pytest."""

import os
import tempfile

os.environ["FAENA_DATA_DIR"] = tempfile.mkdtemp()  # before the app is imported
os.environ["FAENA_BROKER_URL"] = "memory://"

from fastapi.testclient import TestClient

from faena.testing import assert_enqueued, drain, eager
from main import app
from tasks import add_up, make_catalogue

client = TestClient(app)


def test_an_order_is_added_up():
    job_id = client.post("/orders", json=[4.5, 12]).json()["job"]
    assert_enqueued(add_up, prices=[4.5, 12])
    drain()
    assert client.get(f"/jobs/{job_id}").json() == {"state": "SUCCESS", "result": 16.5}


def test_a_catalogue_at_once():
    with eager():
        job_id = client.post("/catalogues/spring?pages=2").json()["job"]
    assert client.get(f"/jobs/{job_id}").json()["result"]["done"] == 2
    assert_enqueued(make_catalogue, name="spring", times=1)
