"""What a gateway counts and measures, as Prometheus reads it.

The only room that imports prometheus_client; others are given callables.
"""

from adapters.metrics.gateway_metrics import GatewayMetrics, StoreMetrics
from adapters.metrics.wsgi import create_metrics_app

__all__ = ["GatewayMetrics", "StoreMetrics", "create_metrics_app"]
