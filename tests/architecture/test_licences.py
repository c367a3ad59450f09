"""Every package of the lock is hashed, installed as locked, and under a licence we may use."""

from __future__ import annotations

import re
from importlib.metadata import version

from architecture.licences_page import LOCK, PAGE, READ, licensed, locked, renewed

DENIED = re.compile(
    r"GPL|AFFERO|GENERAL PUBLIC|SSPL|SERVER SIDE|BUSL|BUSINESS SOURCE|ELASTIC|COMMONS.CLAUSE"
    r"|NON.?COMMERCIAL|\bNC\b|PROPRIETARY|UNKNOWN|FREEWARE|NO DERIV",
    re.IGNORECASE,
)


def test_the_page_names_every_package_of_the_lock_and_its_licence() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "run `make catalog`"
    shown = re.findall(r"^\| ([\w.-]+) \| ([\w.]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert {(name, number) for name, number, _ in shown[1:]} == set(locked().items())


def test_no_licence_is_unknown_or_one_that_binds_who_uses_it() -> None:
    assert [each for each in licensed() if not each.licence] == []
    assert [each for each in licensed() if DENIED.search(each.licence)] == []
    assert set(READ) <= set(locked())


def test_a_licence_that_binds_would_be_found() -> None:
    for bad in (
        "GPL-3.0-or-later",
        "GNU General Public License v2 (GPLv2)",
        "LGPL-2.1",
        "GNU Affero General Public License v3",
        "MIT AND AGPL-3.0-only",
        "Other/Proprietary License",
        "CC-BY-NC-4.0",
        "BUSL-1.1",
    ):
        assert DENIED.search(bad), bad
    for good in ("MIT", "Apache-2.0 WITH LLVM-exception", "Mozilla Public License 2.0 (MPL 2.0)"):
        assert not DENIED.search(good), good


def test_every_package_of_the_lock_is_hashed_and_comes_from_no_named_address() -> None:
    text = LOCK.read_text(encoding="utf-8")
    blocks = re.findall(r"^[\w.-]+==.*(?:\n {4}.*)*", text, re.MULTILINE)
    assert len(blocks) == len(locked()) > 100
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert re.search(r"https?://|git\+|--index|--find-links|--trusted|^-e ", text) is None


def test_what_is_installed_is_what_the_lock_names() -> None:
    assert {name: version(name) for name in locked()} == locked()
