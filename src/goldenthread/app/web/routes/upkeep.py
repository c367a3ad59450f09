"""Bars, runs and health, and their data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002  # FastAPI reads annotations

from goldenthread.app.api.browsing.data import data_rows
from goldenthread.app.api.browsing.health import health, job_rows
from goldenthread.app.web.answers.upkeep import Data, Health, Jobs
from goldenthread.app.web.desk import AtDesk  # noqa: TC001  # the same
from goldenthread.app.web.paper import JSON, page
from goldenthread.app.web.views import upkeep as drawn

router = APIRouter()


@router.get("/data", include_in_schema=False)
def data_page(request: Request, desk: AtDesk) -> Response:
    """Coverage and quarantine."""
    shown = desk.labelled(data_rows(*desk))
    return page(request, shown, "Data", drawn.data(shown))


@router.get("/jobs", include_in_schema=False)
def jobs_page(request: Request, desk: AtDesk) -> Response:
    """Runs, their durations and rows; what queries read."""
    shown = job_rows(*desk)
    return page(request, shown, "Jobs", drawn.jobs(shown))


@router.get("/health", include_in_schema=False)
def health_page(request: Request, desk: AtDesk) -> Response:
    """Whether the book is well."""
    shown = health(*desk)
    return page(request, shown, "Health", drawn.health(shown))


@router.get("/api/data", response_model=Data)
def data_data(desk: AtDesk) -> JSON:
    """Bars and missing sessions by symbol, and the rows in quarantine."""
    return JSON(data_rows(*desk))


@router.get("/api/jobs", response_model=Jobs)
def jobs_data(desk: AtDesk) -> JSON:
    """The newest 200 runs, and the bytes guarded queries read, by day."""
    return JSON(job_rows(*desk))


@router.get("/api/health", response_model=Health)
def health_data(desk: AtDesk) -> JSON:
    """Whether the book is well, check by check."""
    return JSON(health(*desk))
