"""What goes over the wire between Google's Firestore client and the server, counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud.firestore import Client


class FirestoreCalls(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc has no types
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]  # the same
):
    """``calls`` counts by method; ``batches`` has, for every commit, the documents it wrote."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.batches: list[list[str]] = []

    def forget(self) -> None:
        """Begin to count anew."""
        self.calls.clear()
        self.batches.clear()

    def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        details: Any,  # noqa: ANN401  # grpc has no types
        request: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """See grpc."""
        self._count(details.method, request)
        return continuation(details, request)

    def intercept_unary_stream(
        self,
        continuation: Callable[..., Any],
        details: Any,  # noqa: ANN401  # grpc has no types
        request: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """See grpc."""
        self._count(details.method, request)
        return continuation(details, request)

    def _count(self, method: str, request: Any) -> None:  # noqa: ANN401  # a message of Google's
        name = method.rpartition("/")[2]
        self.calls[name] += 1
        if name == "Commit":
            names = [write.update.name or write.delete for write in request.writes]
            self.batches.append(["/".join(name.split("/")[-2:]) for name in names])


def counted(client: Client) -> FirestoreCalls:
    """The calls of a client that has not made one yet."""
    assert client._firestore_api_internal is None
    calls, made = FirestoreCalls(), client._emulator_channel

    def channel(kind: object) -> Any:  # noqa: ANN401  # grpc has no types
        return grpc.intercept_channel(made(kind), calls)  # type: ignore[no-untyped-call]  # the same

    vars(client)["_emulator_channel"] = channel
    return calls
