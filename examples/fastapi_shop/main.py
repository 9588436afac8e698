"""The web process: `uvicorn main:app`. FastAPI's pages, and Faena's monitor below /faena/."""

from celery.result import AsyncResult
from fastapi import FastAPI

import faena.asgi
from tasks import add_up, make_catalogue

app = FastAPI()
app.mount("/faena", faena.asgi.application)


@app.post("/orders", status_code=202)
async def order(prices: list[float]) -> dict:
    """Enqueue from an event loop, which goes on while the job is written down."""
    job = await add_up.adelay(prices)
    return {"job": job.id}


@app.post("/catalogues/{name}", status_code=202)
async def catalogue(name: str, pages: int = 40) -> dict:
    """The same for a job of many steps."""
    job = await make_catalogue.adelay(name, pages)
    return {"job": job.id}


@app.get("/jobs/{job_id}")
def job(job_id: str) -> dict:
    """What became of it. A plain `def`: FastAPI runs it in a thread, where the database may be asked."""
    result = AsyncResult(job_id)
    return {"state": result.state, "result": result.result if result.successful() else None}
