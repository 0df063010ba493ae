"""Keys that can die, and everything sealed under them (DESIGN 4; docs/cryptography.md)."""
