"""Live state in Google Cloud Firestore, changed by single calls with preconditions."""

from goldenthread.adapters.hot_store.firestore.place import FirestorePlace
from goldenthread.adapters.hot_store.firestore.store import FirestoreHotStore

__all__ = ["FirestoreHotStore", "FirestorePlace"]
