"""Refusals are told apart by status, code and message together."""

from __future__ import annotations

import json

import pytest

from goldenthread.adapters.alpaca.errors import Kind, refusal, refusal_json

KNOWN = [
    (422, 40010001, "client_order_id must be unique", Kind.DUPLICATE),
    (422, 40010001, "qty or notional is required", Kind.REFUSED),
    (403, 40310000, "insufficient buying power", Kind.FUNDS),
    (403, 40310000, "insufficient balance for USD (requested: 9, available: 1)", Kind.FUNDS),
    (403, 40310000, "insufficient balance for BTC (requested: 1)", Kind.NOT_SHORTABLE),
    (403, 40310000, "insufficient qty available for order (requested: 6)", Kind.QUANTITY_HELD),
    (403, 40310000, "potential wash trade detected. use complex orders", Kind.WASH_TRADE),
    (422, 42210000, "potential wash trade detected", Kind.WASH_TRADE),
    (403, 40310000, "cost basis must be >= minimal amount of order 10", Kind.BELOW_MINIMUM),
    (422, 42210000, 'asset "X" cannot be sold short', Kind.NOT_SHORTABLE),
    (422, 42210000, 'order is already in "filled" state', Kind.NOT_CANCELABLE),
    (422, 42210000, "cannot replace order in pending_new status", Kind.NOT_REPLACEABLE),
    (422, 42210000, "invalid crypto time_in_force", Kind.REFUSED),
    (404, 40410000, "order not found for x", Kind.NOT_FOUND),
    (403, 40310000, "market is closed", Kind.MARKET_CLOSED),
    (403, 40310099, "something new", Kind.REFUSED),
    (400, 40010000, "bad", Kind.REFUSED),
]


@pytest.mark.parametrize(("status", "code", "message", "kind"), KNOWN)
def test_a_refusal_is_known_by_its_three_parts(
    status: int, code: int, message: str, kind: Kind
) -> None:
    found = refusal(status, json.dumps({"code": code, "message": message}))
    assert (found.kind, found.code, found.message) == (kind, str(code), message)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, '{"message": "unauthorized"}', Kind.AUTH),
        (403, '{"message": "forbidden."}', Kind.AUTH),
        (404, "", Kind.NOT_FOUND),
        (429, '{"message": "rate limit exceeded"}', Kind.RATE_LIMIT),
        (500, "", Kind.UNKNOWN_OUTCOME),
        (502, "<html><h1>Bad Gateway</h1></html>", Kind.UNKNOWN_OUTCOME),
        (504, '{"code": 50410000, "message": "timeout"}', Kind.UNKNOWN_OUTCOME),
        (400, "[]", Kind.REFUSED),
    ],
)
def test_a_body_without_code_is_known_by_its_status(status: int, body: str, kind: Kind) -> None:
    assert refusal(status, body).kind is kind


def test_a_page_instead_of_json_becomes_its_words() -> None:
    assert refusal(502, "<html><h1>Bad</h1>\n Gateway</html>").message == "Bad Gateway"


@pytest.mark.parametrize(("status", "code", "message", "kind"), KNOWN[:-1])
def test_our_exchange_refuses_with_the_same_three_parts(
    status: int, code: int, message: str, kind: Kind
) -> None:
    answered, body = refusal_json(str(code), message)
    assert answered == status
    assert refusal(answered, json.dumps(body)).kind is kind
