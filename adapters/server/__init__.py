"""The HTTP server: deadlines, sizes, framing, admission and drain around any WSGI application.

The only room that imports waitress. It knows no route and no framework; what it must know about
requests it asks the `admit` that it is given.
"""

from adapters.server.crowd import Neighbourhood
from adapters.server.head import Head, HeadText
from adapters.server.options import ServerOptions
from adapters.server.ports import Admit, Permit, RawResponse, Rejection, RenderError
from adapters.server.server import HttpServer

__all__ = [
    "Admit",
    "Head",
    "HeadText",
    "HttpServer",
    "Neighbourhood",
    "Permit",
    "RawResponse",
    "Rejection",
    "RenderError",
    "ServerOptions",
]
