"""JSON in and out, strictly: UTF-8, no NaN, no lone surrogates, no NUL, no duplicates of our own parser."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from rest_framework import negotiation, parsers, renderers

from iva.problems import Problem

NUL = "\x00"


def decode(raw: bytes) -> Any:
    """Parse a body. Raises Problem(400, malformed_json) or Problem(422, nul_character)."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("malformed_json", "The body is not valid JSON in UTF-8.") from None
    if b"\\u0000" in raw or b"\x00" in raw:
        refuse_nul(value)
    return value


def refuse_nul(value: Any) -> None:
    """Raises Problem(422, nul_character) where a string carries U+0000."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text if NUL in text:
                raise Problem("nul_character", "Text must not contain the NUL character.", 422)
            case Mapping() as members:
                waiting += [*members, *members.values()]
            case list() as items:
                waiting += items


class StrictJSONParser(parsers.BaseParser):
    """The REST framework's only parser; another content type is 415."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        request = (parser_context or {}).get("request")
        try:
            raw = request._request.body if request is not None else stream.read()
        except RequestDataTooBig:
            raise Problem("body_too_large", "The body is larger than this endpoint accepts.", 413) from None
        return decode(raw)


class JSONRenderer(renderers.BaseRenderer):
    """UTF-8 JSON; UUIDs, datetimes and decimals in their standard text."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class AlwaysJSON(negotiation.BaseContentNegotiation):
    """We speak one format; an Accept header asking for another is answered in ours (RFC 9110, 12.5.1)."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return negotiation.DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
