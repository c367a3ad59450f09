"""What is told while one looks: news when a run archives, an end when either side leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from app.command import PROGRAM, SUMMER
from app.web.serving import serving
from goldenthread.app.api.project import Project
from goldenthread.app.api.safety import halt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORD = "a-token-of-24-characters"
LAST = "2012-09-10"
_QUIET = 4
"""Words every 15 s that are no news."""


class Told(NamedTuple):
    """One event: the mark, and what it says of the book."""

    mark: str
    data: dict[str, Any]


@contextmanager
def listening(url: str, **headers: str) -> Iterator[Iterator[Told]]:
    """What a dashboard tells from now on."""
    with requests.get(f"{url}/live", headers=headers, stream=True, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield events(answer)


def events(answer: requests.Response) -> Iterator[Told]:
    """Its events, as they come; no more after a minute without news."""
    mark, quiet = "", 0
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        name, _, value = str(line).partition(": ")
        if name == "id":
            mark = value
        elif name == "data":
            quiet = 0
            yield Told(mark, json.loads(value))
        elif value:  # still here
            quiet += 1
        if quiet == _QUIET:
            return


def test_it_tells_where_a_book_stands_and_of_each_change(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    with serving(folder) as url, listening(url) as told:
        first = next(told)
        assert first.data == {"last_run": str(SUMMER[1]), "archived": str(SUMMER[1])}
        page = requests.get(f"{url}/", timeout=120).text
        while f'data-seen="{first.mark}"' not in page:  # SQLite has tidied up the copied journal
            first = next(told)
        halt(Project.open(folder), "sim:main", "rain")
        second = next(told)
        assert (second.mark != first.mark, second.data) == (True, first.data)


@pytest.mark.slow
def test_a_run_beside_it_is_told_when_it_archives(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    words = ("simulate", "--name", "main", "--from", str(SUMMER[0]), "--to", LAST, "--json")
    call = [sys.executable, "-c", PROGRAM, *words, "--project", str(folder)]
    with serving(folder) as url, listening(url) as told:
        seen = [next(told)]
        run = subprocess.Popen(call, stdout=subprocess.PIPE)
        try:
            while seen[-1].data["archived"] != LAST:
                seen.append(next(told))
        finally:
            run.kill()
            run.communicate(timeout=120)
    assert len({each.mark for each in seen}) == len(seen) >= 2


def test_a_dashboard_that_is_stopped_ends_what_it_tells(summer: Path) -> None:
    with serving(summer) as url:
        answer = requests.get(f"{url}/live", stream=True, timeout=30)
        told = events(answer)
        next(told)
        begun = time.monotonic()
    assert next(told, None) is None  # the end of an answer, not a broken one
    assert time.monotonic() - begun < 5


def test_a_visitor_who_goes_is_not_told_any_more(summer: Path) -> None:
    before = threading.active_count()
    with serving(summer) as url:
        for _ in range(45):  # more than there are threads for looking
            with listening(url) as told:
                next(told)
        assert requests.get(f"{url}/api/health", timeout=10).ok
        assert threading.active_count() < before + 45


def test_a_login_that_is_left_ends_what_it_was_told(summer: Path) -> None:
    with serving(summer, WORD) as url:
        assert requests.get(f"{url}/live", timeout=30).status_code == 401
        entered = requests.post(f"{url}/login", {"token": WORD}, timeout=30, allow_redirects=False)
        key = entered.headers["set-cookie"].partition(";")[0]
        with listening(url, cookie=key) as told:
            next(told)
            requests.post(f"{url}/logout", headers={"cookie": key}, timeout=30)
            begun = time.monotonic()
            assert next(told, None) is None
            assert time.monotonic() - begun < 5
