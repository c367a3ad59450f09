"""A dashboard while a run of the same book writes: neither is in the other's way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from app.command import PROGRAM, SUMMER, command
from app.web.serving import PAGES, asked, serving
from goldenthread.app.api.project import Project
from goldenthread.app.engines.wiring import open_warehouse
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from pathlib import Path

LAST = "2012-10-15"


def test_while_a_writer_holds_the_warehouse_every_page_answers(fresh: Path) -> None:
    project = Project.open(fresh)
    writer = open_warehouse(project.settings, project.root)
    try:
        prepare(writer)  # its file is open and its lock taken
        with serving(fresh) as url:
            found = {page: requests.get(f"{url}{page}", timeout=120).status_code for page in PAGES}
        writer.publish()
    finally:
        writer.close()
    assert found == dict.fromkeys(PAGES, 200)


@pytest.mark.slow
def test_a_run_goes_on_beside_it_and_its_pages_follow(summer: Path, tmp_path: Path) -> None:
    folders = tmp_path / "watched", tmp_path / "alone"
    for folder in folders:
        shutil.copytree(summer, folder)
    words = ("simulate", "--name", "main", "--from", str(SUMMER[0]), "--to", LAST, "--json")
    watched, alone = ((*words, "--project", str(folder)) for folder in folders)
    with serving(folders[0]) as url:
        assert asked(f"{url}/api/today")["ds"] == str(SUMMER[1])
        run = subprocess.Popen([sys.executable, "-c", PROGRAM, *watched], stdout=subprocess.PIPE)
        try:
            seen = 0
            while run.poll() is None:
                page = PAGES[seen % len(PAGES)]
                assert requests.get(f"{url}{page}", timeout=120).status_code == 200, page
                seen += 1
        finally:
            run.kill()
            run.communicate(timeout=120)
        after = asked(f"{url}/api/today")
    assert (run.returncode, seen > len(PAGES)) == (0, True)
    assert (after["ds"], after["account"]["ds"]) == (LAST, LAST)
    assert command(*alone).code == 0
    digests = [
        command("warehouse", "digest", "--json", "--project", str(folder)).document
        for folder in folders
    ]
    assert digests[0] == digests[1]  # nobody looking changed what was done
