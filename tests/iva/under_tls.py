"""Run as a program with the settings of a server behind TLS: what it answers, as JSON lines.

IVA_LOOPBACK_HTTP=0 python -m tests.iva.under_tls http:/healthz https:/sign-in/ …
"""

import json
import sys

import django

django.setup()

from django.test import Client  # noqa: E402  settings exist only after the setup

if __name__ == "__main__":
    for request in sys.argv[1:]:
        scheme, _, path = request.partition(":")
        client = Client(raise_request_exception=False)
        response = client.get(path, secure=scheme == "https", headers={"Host": "localhost"})
        cookies = {name: str(morsel) for name, morsel in client.cookies.items()}
        print(
            json.dumps(
                {"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}
            )
        )
