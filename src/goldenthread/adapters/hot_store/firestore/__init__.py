"""Live state in Google Cloud Firestore, changed by single calls with preconditions."""

from goldenthread.adapters.hot_store.firestore.store import FirestoreHotStore
from goldenthread.adapters.hot_store.firestore.wire import FirestorePlace

__all__ = ["FirestoreHotStore", "FirestorePlace"]
