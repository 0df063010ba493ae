"""Telling whoever is looking that something has changed: ids over Valkey's pub/sub, never content (P28)."""
