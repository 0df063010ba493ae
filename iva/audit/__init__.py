"""The audit trail: ids only, append-only, hash-chained for each organization (DESIGN 2, P46, P58)."""
