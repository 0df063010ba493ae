"""Baselines (b) and (c): hand-written SQL in a bare Django view, and a view that does nothing."""

import json
import uuid

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

WHOSE_TOKEN = "SELECT organization_id FROM bench_naive_token WHERE key = %s"

KEEP = """
WITH end_user AS (
    INSERT INTO bench_naive_enduser (id, organization_id, name, phone)
    VALUES (%(end_user)s, %(organization)s, %(name)s, %(phone)s)
    ON CONFLICT (organization_id, phone) DO UPDATE SET name = bench_naive_enduser.name
    RETURNING id
), conversation AS (
    INSERT INTO bench_naive_conversation (id, organization_id, end_user_id, opened_at, last_message_at)
    SELECT %(conversation)s, %(organization)s, end_user.id, %(now)s, %(now)s FROM end_user
    ON CONFLICT (end_user_id) WHERE closed_at IS NULL DO UPDATE SET last_message_at = EXCLUDED.last_message_at
    RETURNING id
)
INSERT INTO bench_naive_message (id, organization_id, conversation_id, external_id, text, sent_at, kept_at)
SELECT %(id)s, %(organization)s, conversation.id, %(external_id)s, %(text)s, %(sent_at)s, %(now)s
FROM conversation ON CONFLICT (organization_id, external_id) DO NOTHING RETURNING conversation_id
"""


@csrf_exempt
def post_message(request: HttpRequest) -> HttpResponse:
    """One statement in a transaction of its own, after one for the token."""
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with connection.cursor() as cursor:
        cursor.execute(WHOSE_TOKEN, [key])
        row = cursor.fetchone()
        if row is None:
            return JsonResponse({"detail": "unknown token"}, status=401)
        parameters = _parameters(row[0], json.loads(request.body))
        cursor.execute(KEEP, parameters)
        kept = cursor.fetchone()
    receipt = {"id": parameters["id"], "conversation_id": kept and kept[0], "kept_at": parameters["now"]}
    return JsonResponse(receipt, status=201)


def _parameters(organization_id: int, body: dict[str, object]) -> dict[str, object]:
    sender = body["sender"]
    assert isinstance(sender, dict)
    return {
        "organization": organization_id,
        "end_user": uuid.uuid4(),
        "conversation": uuid.uuid4(),
        "id": uuid.uuid4(),
        "external_id": body["external_id"],
        "name": sender.get("name", ""),
        "phone": sender["phone"],
        "text": body["text"],
        "sent_at": body.get("sent_at"),
        "now": timezone.now(),
    }


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"", content_type="application/json")
