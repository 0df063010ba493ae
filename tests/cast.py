"""The named cast: Acme is ours, Globex is theirs. Bat and Saraa write to them."""

import itertools
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts import api_keys, organizations
from accounts.models import ApiKey, Organization
from accounts.scopes import EVERY_SCOPE, Scope
from channels_cfg import connecting
from channels_cfg.models import Channel, ChannelKind
from iva import tenancy
from iva.audit.actors import SYSTEM
from tests.agreements import documents

_numbers = itertools.count(1)


@dataclass
class Answer:
    """A response of the API, parsed."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass
class Party:
    """An organization with its channel, a key that may do everything, and a way to call the API."""

    organization: Organization
    channel: Channel
    key: ApiKey
    token: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @property
    def id(self) -> uuid.UUID:
        return self.organization.pk

    def tenant(self, purpose: str = tenancy.SERVICE_OPERATE) -> Any:
        return tenancy.tenant(self.id, purpose)

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Answer:
        """Call `/api/v1/<path>` with this organization's key."""
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        authorization = {"Authorization": f"Bearer {token or self.token}"} | headers
        response = self.client.generic(method, f"/api/v1/{path}", headers=authorization, **content)
        return parsed(response)

    def says(self, text: str, *, external_id: str | None = None, **sender: str) -> Answer:
        """An End User of this organization writes."""
        body = {
            "external_id": external_id or f"message-{next(_numbers)}",
            "sender": sender or {"name": "Bat", "phone": "99112233"},
            "text": text,
        }
        return self.call("POST", "messages/", body)

    def key_with(self, *scopes: Scope) -> str:
        """A token that may do only this."""
        with self.tenant():
            return api_keys.issue("narrow", scopes, actor=SYSTEM)[1]


def parsed(response: Any) -> Answer:
    content = response.content
    is_json = "json" in response.headers.get("Content-Type", "")
    return Answer(
        response.status_code, json.loads(content) if is_json and content else content, dict(response.headers)
    )


def found(name: str, *, is_bound: bool = True) -> Party:
    """Found an organization of the cast; `is_bound`: somebody there has accepted what counts."""
    if is_bound:
        documents.first()
    organization = organizations.found(name, name.lower())
    if is_bound:
        documents.accepted(organization.pk, documents.NOBODY)
    with tenancy.tenant(organization.pk):
        channel = connecting.connect(ChannelKind.API, "API", actor=SYSTEM)
        key, token = api_keys.issue("everything", EVERY_SCOPE, actor=SYSTEM)
    return Party(organization, channel, key, token)
