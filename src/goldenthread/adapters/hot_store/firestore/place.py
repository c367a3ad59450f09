"""Where a Firestore database is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FirestorePlace:
    """Where a database is; with ``emulator_host`` it is the emulator's, without credentials."""

    project_id: str
    database: str = "(default)"
    emulator_host: str = ""
    timeout_s: float = 10.0

    def __str__(self) -> str:
        at = f" at {self.emulator_host}" if self.emulator_host else ""
        return f"{self.project_id}/{self.database}{at}"
