"""kill -9 in the middle of imports, at twenty random moments: the tables come out as from undisturbed ones."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import Any

from faena.models import Job
from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import queries, queueing
from faena_systems.pricelists.importing import CHUNK
from faena_systems.pricelists.models import (
    Articulo,
    ArticuloProveedor,
    ArticuloSinRevisar,
    PrecioDeLista,
    Proveedor,
)
from tests.support.stack import ROOT
from tests.support.waiting import eventually

# On each of the two databases, so twenty in all.
ROWS, BAD, KILLS = 15_000, 75, 10


def test_kill_9_at_random_moments_changes_nothing(shop, tmp_path):
    seed = time.time_ns()
    print(f"seed {seed}")
    chance = random.Random(seed)
    sandbox.write_xlsx(tmp_path / "lista.xlsx", ROWS, bad=BAD)
    calm = shop.supplier("CALM")
    expected_result = counts(queueing.import_here(shop.upload(calm, tmp_path / "lista.xlsx")))
    expected, articles = tables(calm), Articulo.objects.count()
    caught = 0
    worker = shop.worker(concurrency=1)
    for number in range(KILLS):
        proveedor = shop.supplier(f"KILL{number}")
        job_id = queueing.enqueue(shop.upload(proveedor, tmp_path / "lista.xlsx"))
        # A moment of the import's own life, as no two machines take the same time for it.
        moment = chance.randrange(0, ROWS, CHUNK)
        eventually(lambda job_id=job_id, moment=moment: reached(shop.job(job_id), moment), every=0.005)
        time.sleep(chance.uniform(0, 0.1))
        worker.kill()
        caught += shop.job(job_id).state in {"validating", "running"}
        worker = shop.worker(concurrency=1)
        job = shop.until(job_id, "completed_with_errors", "completed", "failed")
        assert counts(job.result) == expected_result, f"kill {number} of seed {seed}"
        assert tables(proveedor) == expected, f"kill {number} of seed {seed}"
        assert len(queries.rejected(job_id)) == BAD
        assert not list((shop.folder / "importaciones" / proveedor.abreviatura).glob("*.csv"))
    assert Articulo.objects.count() == articles
    assert caught >= KILLS // 4, f"only {caught} of {KILLS} kills hit a running import"


def reached(job: Job, rows: int) -> bool:
    """Tell whether an import has done that many rows, or is over."""
    if rows < CHUNK:  # before the first chunk is committed
        return job.state != "pending"
    return job.state not in {"pending", "validating", "running"} or job.done + job.failed >= rows


def counts(result: dict[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in result.items() if name.startswith(("filas_", "creadas", "act", "sin_"))}


def tables(proveedor: Proveedor) -> list[list[tuple]]:
    """All that an import wrote for a supplier, without ids."""
    prices = PrecioDeLista.objects.filter(proveedor=proveedor).order_by("codigo")
    unreviewed = ArticuloSinRevisar.objects.filter(proveedor=proveedor).order_by("codigo_proveedor")
    links = ArticuloProveedor.objects.filter(proveedor=proveedor).order_by("codigo_proveedor")
    return [
        list(prices.values_list("codigo", "descripcion", "precio", "iva", "bulto", "stock", "marca")),
        list(unreviewed.values_list("codigo_proveedor", "descripcion_proveedor", "descripcion", "estado")),
        list(
            links.values_list(
                "codigo_proveedor",
                "precio_de_lista__codigo",
                "articulo__codigo_barras",
                "articulo_sin_revisar__codigo_proveedor",
            )
        ),
    ]


def test_a_command_that_was_killed_is_gone_on_with_by_the_next_one_without_a_worker(shop, tmp_path):
    shop.kill_workers()
    sandbox.write_xlsx(tmp_path / "lista.xlsx", ROWS, bad=BAD)
    proveedor = shop.supplier("COMMAND")
    archivo = shop.upload(proveedor, tmp_path / "lista.xlsx")
    command = [sys.executable, "manage.py", "procesar_pendientes_script"]
    started = subprocess.Popen(command, env=shop.env, cwd=ROOT, stdout=subprocess.DEVNULL)
    of_file = Job.objects.filter(kwargs__contains=f'"archivo_id": {archivo.pk},')
    job = eventually(lambda: of_file.filter(done__gt=0).first())
    started.kill()
    started.wait()
    assert shop.job(job.pk).state == "running"
    again = subprocess.run(command, env=shop.env, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stdout + again.stderr
    job = shop.job(job.pk)
    assert (job.state, job.crashes, job.failed, job.done) == ("completed_with_errors", 1, BAD, ROWS - BAD)
    assert of_file.count() == 1
