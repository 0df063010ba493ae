"""What the platform remembers of its own work."""

from typing import ClassVar

from django.db import models


class Round(models.Model):
    """The last round of one periodic task. A platform table: it belongs to no organization.

    `figures` are the counts the task returned, `failure` the name of the error that ended it, "" for none.
    """

    personal_data: ClassVar = None

    task = models.CharField(max_length=64, primary_key=True)
    ended_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)
    failure = models.CharField(max_length=64, blank=True, default="")
