"""What an operator asks for in the browser: confirmed, from a page of ours, and logged."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
import requests
from starlette.requests import Request

from app.command import command, contents
from app.web.serving import asked, serving
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.app.clock import SystemClock
from goldenthread.app.web.access import COOKIE
from goldenthread.app.web.acts import ACTS, Wish, carry_out, wants_typing
from goldenthread.app.web.desk import Desk
from goldenthread.app.web.forms import LASTS, Forms
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("summer")

WORD = "a-token-of-24-characters"
_HIDDEN = re.compile(r'<input name="(\w+)" value="([^"]*)" hidden>')


@pytest.fixture
def desk(summer: Path, tmp_path: Path) -> Path:
    """A copy of the project that ran a summer, for one test to act on."""
    return shutil.copytree(summer, tmp_path / "project")


@pytest.fixture
def site(desk: Path) -> Iterator[str]:
    """The address of its dashboard."""
    with serving(desk) as url:
        yield url


def confirmed(
    url: str,
    act: str,
    subject: str = "",
    *,
    headers: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> requests.Response:
    """The answer to an act that was asked for and then confirmed as a browser does."""
    page = requests.get(f"{url}/controls", {"act": act, "subject": subject}, timeout=60)
    assert page.status_code == 200, page.text
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
    said = {"Origin": url, **(headers or {})}
    sent = {key: value for key, value in said.items() if value}
    return requests.post(
        f"{url}/controls",
        {**hidden, **(typed or {})},
        headers=sent,
        timeout=60,
        allow_redirects=False,
    )


def stands(url: str) -> list[tuple[str, str, str]]:
    rows = asked(f"{url}/api/controls")["standing"]
    return sorted((row["action"], row["subject"], row["reason"]) for row in rows)


def test_every_act_is_done_once_confirmed_and_answered_by_a_redirect(site: str, desk: Path) -> None:
    wanted = (("halt", ""), ("pause", "trend_rider"), ("freeze", "DUSK/USD"), ("replay", ""))
    for act, subject in wanted:
        answer = confirmed(site, act, subject, typed={"reason": "a <b>test"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/controls"), answer.text
    assert stands(site) == [
        ("FREEZE", "DUSK/USD", "a <b>test"),
        ("HALT", "", "a <b>test"),
        ("PAUSE", "trend_rider", "a <b>test"),
        ("REPLAY_QUARANTINE", "", ""),
    ]
    text = requests.get(f"{site}/controls", timeout=60).text
    assert "a &lt;b&gt;test" in text
    for lift in ("act=resume", "act=unpause&amp;subject=trend_rider", "subject=DUSK%2FUSD"):
        assert lift in text
    for act, subject in (("resume", ""), ("unpause", "trend_rider"), ("thaw", "DUSK/USD")):
        assert confirmed(site, act, subject).status_code == 303
    assert stands(site) == [("REPLAY_QUARANTINE", "", "")]
    assert command("run", "--ds", "2012-09-01", "--project", str(desk)).code == 0
    assert stands(site) == []
    acts = asked(f"{site}/api/controls")["acts"]
    assert [(a["action"], a["subject"]) for a in reversed(acts)] == [
        ("HALT", "sim:main"),
        ("PAUSE", "trend_rider"),
        ("FREEZE", "DUSK/USD"),
        ("REPLAY_QUARANTINE", "sim:main"),
        ("RESUME", "sim:main"),
        ("RESUME", "trend_rider"),
        ("THAW", "DUSK/USD"),
    ]
    assert all(a["actor"].endswith("(dashboard, 127.0.0.1)") for a in acts)
    replayed = next(a for a in acts if a["action"] == "REPLAY_QUARANTINE")
    assert '"outcome":"0 loaded, 0 refused again"' in replayed["detail"]


def test_acts_asked_for_at_once_are_each_logged_or_refused(site: str, desk: Path) -> None:
    wanted = [("halt", ""), ("resume", ""), ("freeze", "AAPL"), ("pause", "trend_rider")] * 6
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda asking: confirmed(site, *asking), wanted))
    found = Counter(answer.status_code for answer in answers)
    assert found.keys() <= {303, 409}
    assert all("nothing was written" in a.text for a in answers if a.status_code == 409)
    assert command("run", "--ds", "2012-09-01", "--project", str(desk)).code == 0
    assert len(asked(f"{site}/api/controls")["acts"]) == found[303]


def test_asking_and_looking_change_nothing_and_no_act_writes_the_warehouse(
    site: str, desk: Path
) -> None:
    requests.get(f"{site}/controls", timeout=60)  # SQLite may first tidy up a journal it finds
    before = contents(desk)
    for act in ACTS:
        subject = {"strategy": "trend_rider", "symbol": "AAPL", "": ""}[ACTS[act].about]
        assert requests.get(f"{site}/controls", {"act": act, "subject": subject}, timeout=60).ok
    assert contents(desk) == before
    confirmed(site, "halt")
    after = contents(desk)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {"state/hot.sqlite"}
    assert stands(site) == [("HALT", "", "")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ""},  # a program, or a browser of long ago
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
    ],
)
def test_a_form_sent_from_elsewhere_does_nothing(site: str, headers: dict[str, str]) -> None:
    assert confirmed(site, "halt", headers=headers).status_code == 403
    assert stands(site) == []


def test_a_form_that_was_not_written_here_for_this_act_does_nothing(site: str) -> None:
    for made_up in ({"seal": ""}, {"seal": "9999999999.0"}, {"seal": "x"}, {"act": "resume"}):
        answer = confirmed(site, "halt", typed=made_up)
        assert answer.status_code == 403
        assert "begin again" in answer.text
    other = {"subject": "golden_cross"}
    assert confirmed(site, "pause", "trend_rider", typed=other).status_code == 403
    assert stands(site) == []


@pytest.mark.parametrize(
    ("act", "subject", "words"),
    [
        ("sell", "", "act: got 'sell'; allowed: halt, resume,"),
        ("pause", "", "subject of pause: got ''; allowed: one strategy"),
        ("freeze", "", "subject of freeze: got ''; allowed: one symbol"),
        ("halt", "AAPL", "got 'AAPL'; allowed: none: it is about the whole book"),
    ],
)
def test_an_act_there_is_not_is_refused_in_words(
    site: str, act: str, subject: str, words: str
) -> None:
    answer = requests.get(f"{site}/controls", {"act": act, "subject": subject}, timeout=60)
    assert (answer.status_code, words in unescape(answer.text)) == (400, True)


def test_what_the_command_line_refuses_is_refused_here_in_the_same_words(site: str) -> None:
    answer = confirmed(site, "thaw", "AAPL")
    assert answer.status_code == 400
    assert "AAPL is not frozen by an operator" in answer.text


def test_a_confirmation_escapes_what_it_is_given_and_has_neither_script_nor_style(
    site: str,
) -> None:
    asking = {"act": "pause", "subject": "<b>no"}
    text = requests.get(f"{site}/controls", asking, timeout=60).text
    assert "<h1>Pause &lt;b&gt;no</h1>" in text
    assert not any(inline in text for inline in ("<b>no", "<script", "<style", "style=", "onclick"))
    answer = confirmed(site, "pause", "<b>no")
    assert (answer.status_code, "no strategy &#39;&lt;b&gt;no&#39;" in answer.text) == (400, True)


def test_what_a_run_froze_is_shown_apart_and_offered_to_nobody(site: str, desk: Path) -> None:
    store = SqliteHotStore(desk / "state" / "hot.sqlite", "sim:main", SystemClock())
    doubt = {"symbol": "AAPL", "ds": "2012-08-31", "reason": "the broker holds 12"}
    store.put_if_absent("system_checks", "frozen-AAPL", {**doubt, "status": "FROZEN"})
    store.close()
    shown = asked(f"{site}/api/controls")
    assert (shown["doubted"], shown["standing"]) == ([doubt], [])
    text = requests.get(f"{site}/controls", timeout=60).text
    assert "the broker holds 12" in text
    assert "act=thaw" not in text


def test_with_a_token_only_who_is_in_may_ask_and_a_form_is_good_for_one_login(desk: Path) -> None:
    with serving(desk, WORD) as url:
        bare = requests.post(f"{url}/controls", {"act": "halt"}, timeout=60, allow_redirects=False)
        assert (bare.status_code, bare.headers["location"]) == (303, "/login")
        logins = []
        for _ in range(2):
            entered = requests.post(
                f"{url}/login", {"token": WORD}, timeout=60, allow_redirects=False
            )
            logins.append({"Cookie": f"{COOKIE}={entered.cookies[COOKIE]}", "Origin": url})
        page = requests.get(f"{url}/controls?act=halt", headers=logins[0], timeout=60)
        hidden = dict(_HIDDEN.findall(page.text))
        answers = [
            requests.post(
                f"{url}/controls", hidden, headers=login, timeout=60, allow_redirects=False
            )
            for login in reversed(logins)
        ]
        assert [answer.status_code for answer in answers] == [403, 303]


def test_a_form_is_good_for_an_hour() -> None:
    wall = Wall()
    forms = Forms(wall)
    request = Request({"type": "http", "headers": [(b"origin", b"http://127.0.0.1")]})
    seal = forms.seal(request, "halt")
    wall.at += LASTS - dt.timedelta(seconds=1)
    assert forms.is_ours(request, "halt", seal)
    wall.at += dt.timedelta(seconds=1)
    assert not forms.is_ours(request, "halt", seal)


def test_an_account_is_halted_and_resumed_only_with_its_name_typed() -> None:
    for name in ("halt", "resume"):
        assert wants_typing(ACTS[name], "paper:PA1")
        assert wants_typing(ACTS[name], "live:1")
        assert not wants_typing(ACTS[name], "sim:main")
    assert not wants_typing(ACTS["pause"], "live:1")
    nobody: Any = None  # the act is refused before the project is looked at
    for typed in ("", "paper:PA2", "sim:main"):
        with pytest.raises(UsageError, match="to halt this book type its name: paper:PA1"):
            carry_out(Desk(nobody, "paper:PA1"), Wish("halt", typed=typed))


class Wall:
    """A clock a test sets."""

    def __init__(self) -> None:
        self.at = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)
