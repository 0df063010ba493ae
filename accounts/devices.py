"""What a browser says of itself, cut down to what its owner recognizes (P19)."""

import ipaddress

from ua_parser import parse

LONGEST = 400
UNKNOWN = "?"


def describe(user_agent: str) -> str:
    """`Chrome · Windows`: the kinds of browser and system, no versions; `?` for what is not known."""
    found = parse(user_agent[:LONGEST]).with_defaults()
    families = [part.family for part in (found.user_agent, found.os) if part and part.family != "Other"]
    return " · ".join(families) or UNKNOWN


def shorten(ip_address: str) -> str:
    """The network of an address, /24 or /48, which is nobody's alone; `?` for what is no address."""
    try:
        ip = ipaddress.ip_address(ip_address.split("/")[0])
    except ValueError:
        return UNKNOWN
    network = ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False)
    return str(network.network_address) + ("/24" if ip.version == 4 else "/48")
