"""Handles as members see them: enough to recognize, too little to use. `revealing` shows the whole one."""

from privacy.handles import HandleKind

DOTS = "••••"
SHOWN = 4
"""Of a number, its last digits; a number too short to hide anything shows none."""


def mask(kind: str, value: str) -> str:
    """`•••• 2233` of a phone or number, `b••••@example.com` of an e-mail address."""
    if kind == HandleKind.EMAIL:
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}{DOTS}@{domain}"
    shown = value[-SHOWN:] if len(value) >= 2 * SHOWN else ""
    return f"{DOTS} {shown}".rstrip()
