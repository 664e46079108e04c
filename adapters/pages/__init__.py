"""The auditor's pages: a read-only web application over the evidence of a store.

The only room that imports Jinja2. All is rendered on the server, and no script is sent. Nothing
here can change a flow: the application is given evidence to read, and no store to write.
"""

from adapters.pages.collaborators import Collaborators
from adapters.pages.errors import render_error
from adapters.pages.wsgi import create_app

__all__ = ["Collaborators", "create_app", "render_error"]
