"""The product as it is, and the baselines beside it."""

from importlib import import_module

from iva.wsgi import application as application

# In a web process nobody else may have named what a nudge sends; the cost of a nudge belongs to a request.
import_module("conversations.tasks")
