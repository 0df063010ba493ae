"""Mail leaves the machine over TLS only, and notice is never shorter than two weeks."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from iva.local.folder import CHECKOUT
from iva.settings import mail


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtp+tls://iva:p%40ss@mail.example.com", ("mail.example.com", 587, "iva", "p@ss", True, False)),
        ("smtp+ssl://mail.example.com:4650", ("mail.example.com", 4650, "", "", False, True)),
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, "", "", False, False)),
    ],
)
def test_an_address_names_server_and_credentials(url: str, told: tuple[object, ...]) -> None:
    assert tuple(mail(url).values()) == told


@pytest.mark.parametrize(
    "url", ["smtp://mail.example.com", "http://mail.example.com", "mail.example.com", "smtp+tls://host:x"]
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        mail(url)


@pytest.mark.parametrize(("days", "counted"), [("30", 30), ("90", 90), ("1", 14), ("-5", 14)])
def test_the_notice_period_has_a_floor(days: str, counted: int) -> None:
    command = [sys.executable, "-c", "from iva import settings; print(settings.IVA_NOTICE_DAYS)"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=os.environ | {"IVA_NOTICE_DAYS": days}, capture_output=True, check=True
    )
    assert int(done.stdout) == counted
