"""The log of one run: every line names the run, and whose signal it is about."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from goldenthread.app.journal.lines import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from goldenthread.app.book import FrozenRun
    from goldenthread.app.desk import Desk
    from goldenthread.app.journal.report import DayReport
    from goldenthread.domain.position import Position
    from goldenthread.ports.hot_store import Operation
    from goldenthread.ports.notifier import Facts, Level, Notice


class RunLog:
    """Writes lines that begin with ``run_id book ds``; ``run_id`` is that of ``job_runs``."""

    def __init__(self, desk: Desk, run: FrozenRun) -> None:
        stamp = desk.stamp(run)
        self._notifier, self._store = desk.engines.notifier, desk.engines.hot_store
        self._clock, self._begun = desk.engines.clock, stamp.loaded_at
        self._run: Facts = {"run_id": stamp.run_id, "book": stamp.book, "ds": stamp.ds}
        self._title = f"{stamp.book} {stamp.ds}"
        self._strategies: dict[str, str] = {}
        self._report: DayReport | None = None
        self._notices: Sequence[Notice] = ()

    def line(self, level: Level, event: str, about: Facts) -> None:
        """Write one line about the run as a whole, or about what ``about`` names."""
        self._notifier.log(level, event, {**self._run, **about})

    def know(self, positions: Iterable[Position]) -> None:
        """Remember whose these are: an order does not say."""
        self._strategies.update({p.position_id: p.strategy_id for p in positions})

    def wrote(self, operations: Sequence[Operation]) -> None:
        """Write what the writes that took effect together say."""
        told = [line for operation in operations for line in lines(operation)]
        named = [line.about for line in told if "strategy_id" in line.about]
        self._strategies.update({str(a["signal_id"]): str(a["strategy_id"]) for a in named})
        for level, event, about in told:
            signal_id = about.get("signal_id")
            whose = {} if signal_id is None else self._whose(str(signal_id))
            self.line(level, event, {**whose, **about})

    def end(self, report: DayReport, notices: Sequence[Notice] = ()) -> DayReport:
        """The report; what to tell somebody waits until the run has given its lease back."""
        self._report, self._notices = report, notices
        return report

    def ended(self) -> None:
        """Tell the notices, and write down how the run ended."""
        for notice in self._notices:
            self._notice(notice)
        names = ("changed", "decided", "accepted", "sent", "archived")
        told = {name: getattr(self._report, name) for name in names}
        self.line("info", "run_ended", {**told, "duration_s": self._lasted_s()})

    def failed(self, error: BaseException) -> None:
        """Write down why the run did not come to its end."""
        told = {"error": type(error).__name__, "text": str(error)}
        self.line("error", "run_failed", {**told, "duration_s": self._lasted_s()})

    def _notice(self, notice: Notice) -> None:
        whose = {} if notice.signal_id is None else self._whose(notice.signal_id)
        symbol = {} if notice.symbol is None else {"symbol": notice.symbol}
        about = {**self._run, **whose, **symbol}
        self._notifier.notify("warning", self._title, notice.text, about)

    def _whose(self, signal_id: str) -> dict[str, object]:
        if signal_id not in self._strategies:  # an order that outlives its position
            found = self._store.get("live_signals", signal_id)
            if found is not None:
                self._strategies[signal_id] = found.body["strategy_id"]
        return {"signal_id": signal_id, "strategy_id": self._strategies.get(signal_id)}

    def _lasted_s(self) -> float:
        return round((self._clock.now() - self._begun).total_seconds(), 3)


@contextmanager
def run_log(desk: Desk, run: FrozenRun) -> Iterator[RunLog]:
    """The log of a run from its first line to its last, whichever way it ends."""
    log = RunLog(desk, run)
    log.line("info", "run_started", {"missed": run.missed, "engine_digest": desk.code[0]})
    try:
        yield log
    except BaseException as error:  # an interrupt, too: the run did not come to its end
        log.failed(error)
        raise
    log.ended()
