"""Every answer tells browsers to load nothing from elsewhere, to keep nothing and to frame nothing."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from iva import checks
from iva.headers import POLICY
from iva.local.folder import CHECKOUT
from tests.admin.pages import Page, read
from tests.cast import Party

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ROUTES = sorted(route for route, _ in checks.routes())
PAGES = ["/", "/api/docs/", "/admin/login/", "/admin/nothing/", "/static/nothing.js"]
DOCUMENT = "/api/docs/"
NONCE = re.compile(r"'nonce-[A-Za-z0-9_-]{22}' 'strict-dynamic'")


def path_of(route: str) -> str:
    """A route with ids that nobody has, and without the regular expressions of Django's own."""
    plain = re.sub(r"<[^>]*>", "00000000-0000-7000-8000-000000000000", route)
    return re.sub(r"\(\?P[^)]*\)|[\^$]|\.\*", "nothing", plain)


def directives(policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {name: sources for name, *sources in parts}


@pytest.fixture
def browser(db: None) -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_every_route_sends_them(browser: Client, method: str) -> None:
    for route in ROUTES:
        headers = browser.generic(method, path_of(route)).headers
        assert {name: headers.get(name) for name in EVERYWHERE} == EVERYWHERE, route
        assert "no-store" in headers["Cache-Control"], route
        assert "camera=()" in headers["Permissions-Policy"], route
        if route != DOCUMENT:
            assert NONCE.sub("'self'", headers["Content-Security-Policy"]) == POLICY, route


@pytest.mark.parametrize(
    ("path", "environ"),
    [
        ("/nothing/", {}),
        ("/healthz", {"HTTP_HOST": "evil.example"}),
        ("/api/v1/messages/", {"HTTP_AUTHORIZATION": "Bearer nonsense"}),
        ("/admin/", {}),
        ("/static/nothing.css", {}),
    ],
)
def test_errors_and_redirects_send_them_too(browser: Client, path: str, environ: dict[str, str]) -> None:
    headers = browser.generic("GET", path, **environ).headers
    assert {name: headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert headers["Content-Security-Policy"] == POLICY


def test_the_policy_allows_ourselves_and_nothing_else(browser: Client) -> None:
    allowed = directives(POLICY)
    assert allowed["default-src"] == ["'none'"]
    for name in ("base-uri", "frame-ancestors", "object-src"):
        assert allowed[name] == ["'none'"]
    assert {source for sources in allowed.values() for source in sources} <= {"'none'", "'self'", "data:"}
    assert "data:" not in allowed["script-src"] + allowed["style-src"]

    document = directives(browser.get(DOCUMENT).headers["Content-Security-Policy"])
    assert document["script-src"] == ["'self'"]
    assert document["default-src"] == document["base-uri"] == document["frame-ancestors"] == ["'none'"]
    sources = {source for sources in document.values() for source in sources}
    assert sources <= {"'none'", "'self'", "data:", "'unsafe-inline'"}


def refused_by(page: Page) -> list[str]:
    """What the page's own policy would not run."""
    styles = directives(page.response.headers["Content-Security-Policy"]).get("style-src", [])
    inline = "'unsafe-inline'" in styles
    return [what for what in page.refused if not (inline and (what == "style" or what.endswith(" style")))]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_under_its_own_policy_and_loads_only_what_we_serve(browser: Client, path: str) -> None:
    page = read(browser, path)
    assert refused_by(page) == []
    for source in page.loads:
        assert re.match(r"/(?!/)|data:", source), source
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/").partition("?")[0]), source


def test_swagger_ui_finds_its_script_and_the_document_here(browser: Client) -> None:
    page = read(browser, DOCUMENT)
    assert len(page.loads) >= 3
    ours = [source for source in page.loads if not source.startswith("/static/")]
    assert ours, "the script that starts it is ours"
    for source in ours:
        script = browser.get(source)
        assert script.status_code == 200
        assert "javascript" in script.headers["Content-Type"]
        assert not re.search(r"https?://(?!testserver)", script.content.decode())


def test_static_files_are_sniffed_by_nobody_and_carry_no_cookie(browser: Client) -> None:
    response = browser.get("/static/iva/front.css")
    assert response.status_code == 200
    assert b"".join(response.streaming_content)  # type: ignore[attr-defined]
    response.close()
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_the_api_sets_no_cookie_and_reads_none(acme: Party) -> None:
    client = Client(raise_request_exception=False)
    client.get("/admin/login/")
    client.cookies["session"] = "a" * 32
    for token in (acme.token, "nonsense", ""):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for path in ("/api/v1/organization/", "/api/v1/conversations/", "/api/v1/nothing/"):
            response = client.get(path, headers=headers)
            assert not response.cookies, path
            assert "Cookie" not in response.headers.get("Vary", ""), path


def test_nobody_elsewhere_may_read_the_api(acme: Party) -> None:
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        answer = acme.call(method, "organization/", **origin)
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.fixture(scope="module")
def under_tls() -> list[dict[str, Any]]:
    """What a server behind TLS answers, with the settings it really has there."""
    requests = [
        "http:/",
        "http:/healthz",
        "https:/healthz",
        "https:/api/v1/organization/",
        "https:/sign-in/",
    ]
    environment = os.environ | {"IVA_LOOPBACK_HTTP": "0", "DJANGO_SETTINGS_MODULE": "iva.settings"}
    command = [sys.executable, "-m", "tests.iva.under_tls", *requests]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_behind_tls_plain_http_is_sent_there_and_only_probes_are_answered(
    under_tls: list[dict[str, Any]],
) -> None:
    front, probe = under_tls[:2]
    assert (front["status"], front["headers"]["Location"]) == (301, "https://localhost/")
    assert probe["status"] == 200
    assert "Strict-Transport-Security" not in front["headers"]


def test_behind_tls_browsers_are_told_to_stay_there(under_tls: list[dict[str, Any]]) -> None:
    for answer in under_tls[2:]:
        told = answer["headers"]["Strict-Transport-Security"]
        assert int(re.findall(r"max-age=(\d+)", told)[0]) >= 31_536_000
        assert "includeSubDomains" in told


def test_behind_tls_cookies_belong_to_this_host_alone(under_tls: list[dict[str, Any]]) -> None:
    api, sign_in = under_tls[3:]
    assert api["cookies"] == {}
    assert sign_in["cookies"].keys() == {"__Host-csrf"}
    cookie = sign_in["cookies"]["__Host-csrf"].lower()
    for attribute in ("secure", "httponly", "path=/", "samesite=lax"):
        assert attribute in cookie
    assert "domain" not in cookie


def test_a_pages_scripts_carry_a_nonce_of_their_own(browser: Client) -> None:
    """Made anew with each page, on every script of it, and nothing inline."""
    nonces = set()
    for _ in range(2):
        answer = browser.get("/sign-in/", headers={"Accept": "text/html"})
        nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])[1]  # type: ignore[index]
        scripts = re.findall(r"<script[^>]*>", answer.content.decode())
        assert len(scripts) >= 2
        assert all(f'nonce="{nonce}"' in script and "src=" in script for script in scripts)
        nonces.add(nonce)
    assert len(nonces) == 2
