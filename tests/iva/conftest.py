"""What is missing, when something is."""

from collections.abc import Iterator

import pytest
from django.db import connection

from iva.local.folder import free_port


@pytest.fixture
def database_is_down() -> Iterator[None]:
    """The connection is closed, and another one cannot be made."""
    connection.close()
    port, connection.settings_dict["PORT"] = connection.settings_dict["PORT"], str(free_port())
    yield
    connection.close()
    connection.settings_dict["PORT"] = port
