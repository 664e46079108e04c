"""The auditor's pages: a read-only web application over the audit log of a store.

The only room that imports Jinja2. All is rendered on the server, and no script is sent. Nothing
here can change a flow: the application is given an audit log to read, and no store to write.
"""

from adapters.pages.dependencies import PageDependencies
from adapters.pages.errors import render_error_page
from adapters.pages.wsgi import create_pages_app

__all__ = ["PageDependencies", "create_pages_app", "render_error_page"]
