"""What the live tests may touch: only what variables name, see docs/live.md."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pydantic import SecretStr

from goldenthread.app.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from goldenthread.adapters.alpaca.connection import Access
    from goldenthread.adapters.broker.alpaca import AlpacaBroker
    from goldenthread.adapters.hot_store.firestore import FirestoreHotStore
    from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms


def named(variable: str) -> str:
    """What the variable GOLDENTHREAD_LIVE_... names; the test is skipped where it names nothing."""
    name = f"GOLDENTHREAD_LIVE_{variable}"
    if not os.environ.get(name):
        pytest.skip(f"{name} is not set; docs/live.md says what it may name")
    return os.environ[name]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Have a line printed when the test has passed."""
    return lambda text: request.node.user_properties.append(("figure", f"live: {text}"))


@pytest.fixture
def hot_store() -> Iterator[FirestoreHotStore]:
    """A book of its own in the database; its documents go with the test."""
    from goldenthread.adapters.hot_store.firestore import (  # noqa: PLC0415  # needs the extra
        FirestoreHotStore,
        FirestorePlace,
    )

    host = os.environ.get("GOLDENTHREAD_LIVE_FIRESTORE_HOST", "")
    place = FirestorePlace(named("PROJECT"), named("DATABASE"), host)
    store = FirestoreHotStore(place, f"sim:live-test-{uuid4().hex[:12]}", SystemClock())
    yield store
    for collection in ("live_signals", "job_locks", "system_checks"):
        for document in store._wire.collection(collection).list_documents():
            document.delete()


@pytest.fixture
def terms() -> BigQueryTerms:
    """The dataset; an emulator's client is guarded as Google would guard it."""
    from emulators.bigquery_guard import BigQueryGuard  # noqa: PLC0415  # needs the extra
    from goldenthread.adapters.warehouse.bigquery.terms import (  # noqa: PLC0415  # needs the extra
        BigQueryTerms,
        connect,
    )

    endpoint = os.environ.get("GOLDENTHREAD_LIVE_BIGQUERY_ENDPOINT", "")
    chosen = BigQueryTerms(
        named("PROJECT"), named("DATASET"), named("LOCATION"), 100_000_000, endpoint
    )
    if chosen.is_emulated:
        guard = BigQueryGuard(connect.__wrapped__(chosen))
        connect(chosen)._http.mount(endpoint, guard)
    return chosen


@pytest.fixture
def access() -> Access:
    """The paper account's keys, and a server of this machine if one is named instead of Alpaca."""
    from goldenthread.adapters.alpaca.connection import Access  # noqa: PLC0415  # needs the extra

    named("PAPER_ACCOUNT")
    url = os.environ.get("GOLDENTHREAD_LIVE_ALPACA_URL", "")
    if url and urlsplit(url).hostname != "127.0.0.1":
        pytest.fail("GOLDENTHREAD_LIVE_ALPACA_URL may name a server of 127.0.0.1 only")
    for key in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        if not os.environ.get(key):
            pytest.fail(f"{key} is not set: the key pair of the paper account")
    secret = SecretStr(os.environ["APCA_API_SECRET_KEY"])
    return Access(os.environ["APCA_API_KEY_ID"], secret, url or None)


@pytest.fixture
def broker(access: Access) -> Iterator[AlpacaBroker]:
    """The paper account, if it is the one that was named and rests in what the tests order."""
    from goldenthread.adapters.broker.alpaca import (  # noqa: PLC0415  # needs the extra
        AlpacaBroker,
    )

    with closing(AlpacaBroker(access, SystemClock(), paper=True)) as opened:
        account = opened.account()
        if account.account_id != named("PAPER_ACCOUNT"):
            pytest.fail(f"the keys open {account.account_id}, another account than was named")
        yield opened
