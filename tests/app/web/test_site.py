"""What every page keeps to: its headers, its names, its token, and words when it cannot."""

from __future__ import annotations

import re
import shutil
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
import requests
from starlette.routing import Route

from app.command import SUMMER, contents
from app.web.serving import PAGES, asked, details, serving
from goldenthread.app.api.days import run, simulate
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.clock import SystemClock
from goldenthread.app.web.access import Access
from goldenthread.app.web.forms import Forms
from goldenthread.app.web.gate import FOR_PROGRAMS
from goldenthread.app.web.paper import PAGES as NAVIGATION
from goldenthread.app.web.site import routes
from goldenthread.app.web.terms import ServeTerms
from goldenthread.reports.markup import SYNTHETIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WORD = "a-token-of-24-characters"
DATA = [f"/api/{page.strip('/') or 'today'}" for page in PAGES] + ["/api/equity"]
WRONG = (
    ("/signals?from=31.1.2012", 400, "from: got '31.1.2012'"),
    ("/signals?to=1346371200", 400, "a date looks like 2024-01-31"),
    ("/signals?outcome=lost", 400, "outcome: got 'lost'"),
    ("/signals?colour=red", 400, "colour: got 'red'"),
    ("/signals?after=x", 400, "does not start with a date"),
    ("/trades?after=2012-99-99_x", 400, "after: got '2012-99-99_x'"),
    ("/signals/20120719-0", 400, "0 signals start with"),
    ("/strategies/<b>no", 400, "no strategy '<b>no'"),
    ("/shadow/channel_breakout/NO_FILTER", 400, "NO_FILTER"),
    ("/nowhere", 404, "There is no such page"),
)


def words_of(url: str) -> tuple[int, str]:
    """Status and text of a page, its entities resolved; never a traceback, never bare markup."""
    answer = requests.get(url, timeout=120)
    assert "Traceback" not in answer.text
    assert "<b>no" not in answer.text
    return answer.status_code, unescape(answer.text)


def test_every_page_of_the_navigation_is_there_and_has_its_data(site: str) -> None:
    assert tuple(NAVIGATION) == PAGES
    for page in (*PAGES, *details(site)):
        answer = requests.get(f"{site}{page}", timeout=120)
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "text/html; charset=utf-8",
        ), page
        assert "sim:main" in answer.text
    for path in (*DATA, *(f"/api{page}" for page in details(site))):
        assert asked(f"{site}{path}"), path


def test_made_up_prices_are_labelled_wherever_their_symbol_stands(site: str) -> None:
    for page in ("/", "/signals", "/positions", "/trades", "/data"):
        text = requests.get(f"{site}{page}", timeout=120).text
        rows = re.findall(r"<tr>.*?</tr>", text)
        for symbol, wanted in (("/USD</td>", True), (">AAPL", False)):
            found = [row for row in rows if symbol in row]
            assert all((SYNTHETIC in row) is wanted for row in found), page
    assert SYNTHETIC in requests.get(f"{site}/positions", timeout=120).text


def addresses(found: Sequence[object]) -> Iterator[tuple[str, str]]:
    """Path and method of every route there is, of those of included routers too."""
    for route in found:
        if (router := getattr(route, "original_router", None)) is not None:
            yield from addresses(router.routes)
        else:
            assert isinstance(route, Route)  # nothing is mounted that is not looked at here
            yield from ((route.path, method) for method in route.methods or ())


def test_no_get_changes_anything_and_only_the_doors_and_the_controls_take_a_post(
    site: str, summer: Path
) -> None:
    terms, clock = ServeTerms(Project.open(summer)), SystemClock()
    there = set(addresses(routes(terms, Access("", clock), Forms(clock)).routes))
    assert {(path, m) for path, m in there if m not in {"GET", "HEAD"}} == {
        ("/login", "POST"),
        ("/logout", "POST"),
        ("/controls", "POST"),
    }
    filled = dict(zip(("signal_id", "strategy_id", "name"), _parts(site), strict=True))
    before = contents(summer)
    for path in sorted({path.format(**filled) for path, method in there if method == "GET"}):
        answer = requests.get(f"{site}{path}", timeout=120, stream=path == "/live")  # without end
        answer.close()
        assert answer.status_code == (503 if path == "/healthz" else 200), path  # it is behind
    assert contents(summer) == before
    assert len(there) >= 30


def _parts(site: str) -> tuple[str, str, str]:
    signal, _, curve = details(site)
    strategy, name = curve.split("/")[2:]
    return signal.split("/")[2], strategy, name


def test_a_browser_is_bound_by_headers_and_there_is_no_script_or_style_in_a_page(
    site: str,
) -> None:
    own = '<script src="/static/live.js" defer></script>\n'
    for page in (*PAGES, *details(site), "/nowhere", "/api/today", "/static/style.css"):
        answer = requests.get(f"{site}{page}", timeout=120)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'; connect-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
        for inline in ("<script", "<style", "style=", "onclick", "http://", "https://"):
            assert inline not in answer.text.replace(own, "", 1), (page, inline)


def test_only_its_own_names_are_answered(site: str) -> None:
    for headers in (
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ):
        for page in ("/", "/api/today", "/static/style.css"):
            answer = requests.get(f"{site}{page}", headers=headers, timeout=120)
            assert answer.status_code == 403, (headers, page)
    assert requests.get(f"{site}/", headers={"Host": "localhost:1"}, timeout=120).ok


@pytest.mark.parametrize(("path", "status", "words"), WRONG)
def test_what_is_asked_wrongly_is_said_in_words(
    site: str, path: str, status: int, words: str
) -> None:
    found, text = words_of(f"{site}{path}")
    assert (found, words in text) == (status, True), text
    answer = requests.get(f"{site}/api{path}", timeout=120)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_the_openapi_of_the_data_names_every_address_and_filter(site: str) -> None:
    told = asked(f"{site}/api/openapi.json")
    assert {path for path in told["paths"] if "{" not in path} == set(DATA)
    asks = told["paths"]["/api/signals"]["get"]["parameters"]
    assert {each["name"] for each in asks} == {
        "outcome", "strategy", "symbol", "from", "to", "after"
    }  # fmt: skip
    assert not any(path.startswith(("/login", "/signals")) for path in told["paths"])


def test_with_a_token_nothing_is_shown_before_the_login(summer: Path) -> None:
    with serving(summer, WORD) as url:
        for page in (
            *PAGES,
            "/api/today",
            "/api/openapi.json",
            "/api/nowhere",
            "/nowhere",
            *FOR_PROGRAMS[1:],
        ):
            answer = requests.get(f"{url}{page}", timeout=120, allow_redirects=False)
            assert answer.status_code == (401 if page.startswith(FOR_PROGRAMS) else 303), page
            assert "sim:main" not in answer.text
        assert requests.get(f"{url}/login", timeout=120).ok
        wrong = requests.post(f"{url}/login", {"token": "wrong"}, timeout=120)
        assert (wrong.status_code, "That is not the token" in wrong.text) == (403, True)
        shown = {"authorization": f"Bearer {WORD}"}
        assert requests.get(f"{url}/api/today", headers=shown, timeout=120).ok


def test_a_login_is_a_cookie_no_other_site_and_no_script_can_use(summer: Path) -> None:
    with serving(summer, WORD) as url:
        entered = _entered(url, WORD)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        kept = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "samesite=strict", "path=/"} <= kept
        assert WORD not in cookie
        inside = {"cookie": cookie.partition(";")[0]}
        page = requests.get(f"{url}/", headers=inside, timeout=120)
        assert (page.status_code, "Leave" in page.text) == (200, True)
        foreign = {**inside, "origin": "https://attacker.example"}
        assert requests.post(f"{url}/logout", headers=foreign, timeout=120).status_code == 403
        assert requests.get(f"{url}/api/today", headers=inside, timeout=120).ok
        left = requests.post(f"{url}/logout", headers=inside, timeout=120, allow_redirects=False)
        assert left.status_code == 303
        assert requests.get(f"{url}/api/today", headers=inside, timeout=120).status_code == 401


def test_five_wrong_tokens_close_the_door_for_the_right_one_too(summer: Path) -> None:
    with serving(summer, WORD) as url:
        seen = [_entered(url, "wrong").status_code for _ in range(6)]
        closed = _entered(url, WORD)
        if closed.status_code == 303:  # the minute turned meanwhile: once more in this one
            seen = [_entered(url, "wrong").status_code for _ in range(6)]
            closed = _entered(url, WORD)
        assert seen == [403, 403, 403, 403, 429, 429]
        assert (closed.status_code, "until the next minute" in closed.text) == (429, True)


def test_a_login_form_of_any_size_is_read_no_further_than_a_token_goes(summer: Path) -> None:
    with serving(summer, WORD) as url:
        assert _entered(url, "x" * 10_000 + WORD).status_code == 403
        answer = requests.post(f"{url}/login", b"\xff\xfe&&=;", timeout=120)
        assert answer.status_code == 403


def _entered(url: str, token: str) -> requests.Response:
    return requests.post(f"{url}/login", {"token": token}, timeout=120, allow_redirects=False)


def test_before_anything_is_there_each_page_says_what_to_do(tmp_path: Path) -> None:
    init_project(tmp_path)
    with serving(tmp_path) as url:
        told = {page: words_of(f"{url}{page}") for page in PAGES}
        data: dict[str, Any] = {path: asked(f"{url}{path}") for path in DATA}
    assert {status for status, _ in told.values()} == {200}
    assert "bring bars first: `goldenthread data import" in told["/"][1]
    assert "no bars yet; bring some with `goldenthread data import" in told["/data"][1]
    assert (data["/api/today"]["ds"], data["/api/today"]["account"]) == (None, None)
    assert data["/api/signals"]["signals"] == data["/api/equity"] == []
    assert data["/api/health"]["ok"] is False


def test_with_bars_and_no_run_yet_each_page_says_what_to_do(imported: Path) -> None:
    with serving(imported) as url:
        told = {page: words_of(f"{url}{page}") for page in PAGES}
    assert {status for status, _ in told.values()} == {200}
    assert "`goldenthread run` one date" in told["/"][1]
    assert "AAPL" in told["/data"][1]


def test_after_one_day_each_page_is_there(fresh: Path) -> None:
    project = Project.open(fresh)
    with serving(fresh) as url:
        assert asked(f"{url}/api/today")["ds"] is None
        report = run(project, "sim:main")
        told = {page: words_of(f"{url}{page}") for page in PAGES}
        today = asked(f"{url}/api/today")
    assert {status for status, _ in told.values()} == {200}
    assert today["ds"] == str(report.ds)
    assert (today["account"]["ds"], today["account"]["equity"]) == (
        str(report.ds),
        "100000.000000000",
    )
    assert today["alarms"] == []
    assert "needs at least two days" in told["/"][1]


def test_what_is_read_once_of_a_whole_book_is_read_again_after_a_run(fresh: Path) -> None:
    project = Project.open(fresh)
    with serving(fresh) as url:
        addresses = [f"{url}/api/strategies", f"{url}/api/shadow"]
        before = [asked(address) for address in addresses]
        assert before == [
            {"book": "sim:main", "strategies": []},
            {"book": "sim:main", "refused": []},
        ]
        simulate(project, "main", SUMMER)
        strategies, shadow = (asked(address) for address in addresses)
    assert (len(strategies["strategies"]), len(shadow["refused"])) == (8, 18)


def test_a_broken_read_copy_is_said_in_words_and_comes_back(summer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    copy = folder / "warehouse" / "wh.read.duckdb"
    whole = copy.read_bytes()
    with serving(folder) as url:
        copy.write_bytes(b"no database" * 1000)
        status, text = words_of(f"{url}/signals")
        assert (status, "wh.read.duckdb" in text) == (503, True)
        answer = requests.get(f"{url}/api/signals", timeout=120)
        assert (answer.status_code, "wh.read.duckdb" in answer.json()["error"]) == (503, True)
        copy.write_bytes(whole)
        assert words_of(f"{url}/signals")[0] == 200


def test_a_strategy_file_that_is_not_right_is_said_where_it_matters(
    summer: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    (folder / "strategies" / "golden_cross.toml").write_text("nonsense = ")
    with serving(folder) as url:
        assert {page: words_of(f"{url}{page}")[0] for page in PAGES} == dict.fromkeys(PAGES, 200)
        status, text = words_of(f"{url}/strategies/trend_rider")
    assert (status, "The file cannot be compared: " in text) == (200, True)
    assert "golden_cross.toml" in text
