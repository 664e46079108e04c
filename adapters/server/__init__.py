"""The HTTP server: deadlines, sizes, framing, admission and drain around any WSGI application.

The only room that imports waitress. It knows no route and no framework; what it must know about
requests it asks the `admit` that it is given.
"""

from adapters.server.arenas import bound_arenas
from adapters.server.contract import Admit, RawAnswer, Rejection, RenderError, Ticket
from adapters.server.crowd import Neighbourhood
from adapters.server.head import Head
from adapters.server.options import ServerOptions
from adapters.server.server import Server
from adapters.server.turn import Turn

__all__ = [
    "Admit",
    "Head",
    "Neighbourhood",
    "RawAnswer",
    "Rejection",
    "RenderError",
    "Server",
    "ServerOptions",
    "Ticket",
    "Turn",
    "bound_arenas",
]
