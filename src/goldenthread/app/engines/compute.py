"""Who works on a sweep: threads and processes here, or Ray."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from goldenthread.app.engines.extras import extra
from goldenthread.domain.errors import UsageError
from goldenthread.research.sweep.running import local_processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor


def pool_on(place: str) -> Callable[[int], Executor]:
    """What makes a pool of so many workers: here, or ``ray``, or at ``ray://HOST:PORT``.

    Raises:
        UsageError: The place is none of these, or Ray is not installed.
    """
    if not place:
        return local_processes
    if place != "ray" and not place.startswith("ray://"):
        msg = f"--on got {place!r}; allowed: ray (a cluster here), ray://HOST:PORT"
        raise UsageError(msg)
    with extra("ray", f"--on {place}"):
        import_module("ray")  # said before anything starts
    from goldenthread.adapters.compute.ray import RayPool  # noqa: PLC0415  # as above

    return lambda workers: RayPool(place, workers)
