"""What a process says about itself: logs, metrics, traces."""

from libs.obs.logging import configure_logging, get_logger, logs

__all__ = ["configure_logging", "get_logger", "logs"]
