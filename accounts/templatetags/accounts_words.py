"""Words for codes, in templates: `{{ membership.role|role_name }}`."""

from django import template

from accounts.role_words import ROLE_NAMES
from accounts.roles import Role

register = template.Library()


@register.filter
def role_name(code: str) -> str:
    """What a role is called. Raises ValueError for one that does not exist."""
    return str(ROLE_NAMES[Role(code)])
