"""REST and WebSocket: the classifier for programs in any language."""

from songnet.api.application import PREFIX, build_api
from songnet.api.service import ApiLimits

__all__ = ["PREFIX", "ApiLimits", "build_api"]
