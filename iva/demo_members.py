"""The demo's members: somebody for each role, with a generated password, verified, everything accepted.

And two operators, because no legal document is published by one alone. They, owners and admins cannot work
without a second factor (P53), so theirs is enrolled; its secret lies with the passwords, and `make codes`
shows what an app would.
"""

import secrets
import time
import uuid
from collections.abc import Iterator

from accounts import agreements, factors, household, operators, people
from accounts.models import Organization
from accounts.people import Profile
from accounts.roles import SECOND_FACTOR_ALWAYS, Role
from iva import demo_content, tenancy
from iva.audit.actors import SYSTEM
from iva.demo_credentials import Credentials, MemberCredential
from iva.personal_data import Purpose

OPERATORS = ("operator@example.com", "second-operator@example.com")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def missing(organization: Organization, known: Credentials) -> Iterator[MemberCredential]:
    """Make the members whom the demo has not yet, one after the other."""
    have = {member.email for member in known.of(organization.slug)}
    for wanted in demo_content.STAFF:
        if wanted.email(organization.slug) not in have:
            yield _hire(organization, wanted)


def missing_operators(known: Credentials) -> Iterator[MemberCredential]:
    """Make the operators whom the demo has not yet."""
    have = {operator.email for operator in known.operators}
    for email in OPERATORS:
        if email not in have:
            password = _password()
            authenticator = _enroll(operators.appoint(email, password))
            yield MemberCredential("", "operator", email, password, authenticator)


def codes(credentials: Credentials, at: float | None = None) -> Iterator[tuple[MemberCredential, str]]:
    """What their authenticator apps show now, the operators' last."""
    step = int(time.time() if at is None else at) // factors.STEP_SECONDS
    for member in [*credentials.members, *credentials.operators]:
        if member.authenticator:
            yield member, factors.shown_by(member.authenticator, step)


def _hire(organization: Organization, wanted: demo_content.DemoMember) -> MemberCredential:
    role, email, password = Role(wanted.role), wanted.email(organization.slug), _password()
    user_id = people.meet(email, password)
    people.verify(user_id)
    with tenancy.tenant(organization.pk, Purpose.ACCOUNT_MANAGE):
        profile = Profile(wanted.name, email, wanted.position)
        people.join(user_id, role, profile, actor=SYSTEM, is_responsible=role is Role.OWNER)
        current = agreements.current()
        agreements.accept(
            user_id, terms=current.terms.digest, privacy_policy=current.privacy_policy.digest, locale="mn"
        )
    authenticator = _enroll(user_id) if role in SECOND_FACTOR_ALWAYS else None
    return MemberCredential(organization.slug, role.value, email, password, authenticator)


def _enroll(user_id: uuid.UUID) -> str:
    """Confirmed with the code before the present one, so that the first one shown is still good."""
    with household.at_home():
        secret = factors.enroll(user_id).secret
        factors.confirm(user_id, factors.shown_by(secret, int(time.time()) // factors.STEP_SECONDS - 1))
    return secret


def _password() -> str:
    """A hundred random bits in four groups that can be typed."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))
