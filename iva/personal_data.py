"""Personal data, declared once on each model and read six ways (P2, P3, P72; DESIGN 7).

The declaration drives erasure, access packages, portability, retention, the record of processing and
the data map. `python manage.py personal_data` prints it; a system check fails where it is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.apps import apps
from django.db import models


class Subject(StrEnum):
    """Whose data it is (P2)."""

    END_USER = "end_user"
    MEMBER = "member"
    OPERATOR = "operator"
    NONE = "none"


class Category(StrEnum):
    """What kind of data it is. Correspondence is sensitive by law (PDPL 4.1.12), hence by default."""

    IDENTITY = "identity"
    CORRESPONDENCE = "correspondence"
    METADATA = "metadata"
    CREDENTIAL = "credential"
    KEY_MATERIAL = "key_material"
    CONFIGURATION = "configuration"
    AUDIT = "audit"
    USAGE = "usage"


class Purpose(StrEnum):
    """The closed purpose vocabulary (P32); an unknown code is an error."""

    SERVICE_OPERATE = "service.operate"
    ACCOUNT_MANAGE = "account.manage"
    ACCOUNT_AUTHENTICATE = "account.authenticate"
    SUPPORT_TECHNICAL = "support.technical"
    BILLING_INVOICE = "billing.invoice"
    LEGAL_REQUIREMENT = "legal.requirement"
    SECURITY_PLATFORM = "security.platform"


class Retention(StrEnum):
    """The rule that ends a row's life (P72, P76, P78)."""

    WITH_END_USER = "with_end_user"
    CONTRACT_PLUS_30_DAYS = "contract_plus_30_days"
    ORGANIZATION_SETTING = "organization_setting"
    AUDIT_TRAIL = "audit_trail"
    UNTIL_DONE = "until_done"
    DAYS_180 = "180_days"
    ONE_YEAR = "one_year"


class Erasure(StrEnum):
    """What the erasure of the End User does to the row."""

    DELETE = "delete"
    SHRED = "shred"
    KEEP_IDS = "keep_ids"
    NOT_CONCERNED = "not_concerned"


class Protection(StrEnum):
    """How a field is kept."""

    ENCRYPTED = "encrypted"
    BLIND_INDEX = "blind_index"
    HASHED = "hashed"
    WRAPPED = "wrapped"
    PLAIN = "plain"


@dataclass(frozen=True)
class PersonalData:
    """One model's declaration.

    `subject_field` names the column that holds the data subject's id; where the rows hang from a parent
    that holds it, `reached_through` names the foreign key to that parent. `fields` says of every concrete
    column that carries personal data how it is protected. Columns left out carry ids, times and states
    only, which `Category.METADATA` covers. Where a row knows its subject by an e-mail address only,
    `subject_token` names the column of its blind index and that index. Of a credential nothing encrypted is
    ever copied out, but for the `disclosed` fields, which open nothing (P19).
    """

    subject: Subject
    category: Category
    purpose: Purpose
    retention: Retention
    erasure: Erasure = Erasure.NOT_CONCERNED
    subject_field: str | None = None
    sensitive: bool = False
    fields: dict[str, Protection] = field(default_factory=dict)
    further_purposes: tuple[Purpose, ...] = ()
    reached_through: str | None = None
    subject_token: tuple[str, str] | None = None
    disclosed: tuple[str, ...] = ()

    def allows(self, purpose: str) -> bool:
        """Whether the data may be opened for this purpose (P16)."""
        return purpose == self.purpose or purpose in self.further_purposes


@dataclass(frozen=True)
class Entry:
    """One line of the inventory: a model and what it declared."""

    model: type[models.Model]
    declaration: PersonalData


def declared(model: type[models.Model]) -> bool:
    """Whether the model itself, not a parent, says what personal data it holds."""
    return "personal_data" in vars(model)


def ours(model: type[models.Model]) -> bool:
    """Whether we wrote the model; Django's own tables are described in docs/architecture.md."""
    return not model.__module__.startswith(("django.", "rest_framework."))


def inventory() -> Iterator[Entry]:
    """Every model of ours that holds personal data, in the order of the apps."""
    for model in apps.get_models():
        declaration = vars(model).get("personal_data")
        if declaration is not None:
            yield Entry(model, declaration)


def about_end_users() -> list[Entry]:
    """The models an erasure has to reach."""
    return [entry for entry in inventory() if entry.declaration.erasure is Erasure.DELETE]
