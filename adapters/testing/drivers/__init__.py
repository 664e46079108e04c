"""What the machine drives: the pure core, the service over a store, a gateway over HTTP."""

from adapters.testing.drivers.driver import Ability, Driver, DriverFactory, LostAnswer
from adapters.testing.drivers.http import Door, HttpDriver, WireFault
from adapters.testing.drivers.pure import PureDriver, pure_core, pure_core_with
from adapters.testing.drivers.service import ServiceDriver, memory_service, service_over

__all__ = [
    "Ability",
    "Door",
    "Driver",
    "DriverFactory",
    "HttpDriver",
    "LostAnswer",
    "PureDriver",
    "ServiceDriver",
    "WireFault",
    "memory_service",
    "pure_core",
    "pure_core_with",
    "service_over",
]
