"""Ray as an executor: what a process pool is given runs on a cluster."""

from __future__ import annotations

import os
import sys
from concurrent.futures import BrokenExecutor, Executor, Future
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from goldenthread.domain.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_STARTS = 5
"""How often a cluster here is begun: Ray forks a process with threads, and now and then a child
waits for ever for a lock that one of them held."""

_NO_CLUSTER = (ConnectionError, RuntimeError, ValueError)

LOCAL = "ray"
"""A cluster of processes on this machine, made for the work and ended after it."""


class RayPool(Executor):
    """Work done by Ray; where a worker dies Ray gives its task to another one.

    Args:
        address: ``ray://HOST:PORT`` or ``HOST:PORT`` of a cluster with this package installed;
            ``ray`` starts one here.
        workers: How many processes a cluster here has, and how many tasks run at once.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        EngineError: There is no cluster at the address.
    """

    def __init__(self, address: str, workers: int) -> None:
        self._ray: Any = import_module("ray")
        place: dict[str, object] = _here(workers) if address == LOCAL else {"address": address}
        error = self._join(place)
        for _ in range(1, _STARTS):
            if error is not None and address == LOCAL:
                error = self._join(place)
        if error is not None:
            msg = f"--on {address}: no cluster answers there ({error}); look with `ray status`"
            raise EngineError(msg) from error

    def _join(self, place: dict[str, object]) -> Exception | None:
        try:
            self._ray.init(**place, log_to_driver=False, logging_level="error")
        except Exception as error:
            # a bare Exception is what Ray raises when one of its processes did not come up
            if isinstance(error, _NO_CLUSTER) or type(error) is Exception:
                return error
            raise
        return None

    @override
    def submit(
        self, fn: Callable[..., Result], /, *args: object, **kwargs: object
    ) -> Future[Result]:
        """The future of one call; ``BrokenExecutor`` when its workers kept dying."""
        answer: Future[Result] = Future()
        running = self._ray.remote(fn).remote(*args, **kwargs).future()
        running.add_done_callback(lambda done: self._answer(answer, done))
        return answer

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; one that was started here ends."""
        self._ray.shutdown()

    def _answer(self, answer: Future[Result], done: Future[Result]) -> None:
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        elif isinstance(error, self._ray.exceptions.RayTaskError):
            answer.set_exception(error.as_instanceof_cause())
        else:  # the worker, its machine or an object is gone
            answer.set_exception(BrokenExecutor(str(error)))


def _here(workers: int) -> dict[str, object]:
    """The options of a cluster on this machine, whose workers import what this process does."""
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {"env_vars": {"PYTHONPATH": paths}}
    return {"num_cpus": workers, "include_dashboard": False, "runtime_env": environment}
