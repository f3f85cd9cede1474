"""REST and WebSocket: the classifier for programs in any language."""

from songnet.api.application import PREFIX, build_api
from songnet.api.live import MAX_MESSAGE_BYTES
from songnet.api.service import ApiLimits

__all__ = ["MAX_MESSAGE_BYTES", "PREFIX", "ApiLimits", "build_api"]
