"""The WebSocket: sound in as it arrives, rolling predictions out.

A client connects to ``live?sr=48000&channels=1&encoding=s16le`` and sends the
sound as binary messages, any number of whole samples each. It may send
``{"type": "reset"}`` to begin anew and ``{"type": "stop"}`` to end. A client
that sends faster than the sound is heard is slowed down by the connection
itself: the next message is read when the one before was heard.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import numpy as np
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from songnet.api.problems import IdleError, OriginError, answer, document
from songnet.api.schemas import LiveAnswer, LiveEnd, LiveError, live_answer, live_ready
from songnet.api.service import ApiLimits, TheService
from songnet.exceptions import AudioTooLongError, ParameterError, SongNetError
from songnet.inference.live_places import LiveFullError
from songnet.inference.streaming import StreamingClassifier

__all__ = ["routes"]

routes = APIRouter()
_MAX_MESSAGE_BYTES = 2**20
_POLICY_VIOLATION = 1008
_DTYPES: dict[str, np.dtype[Any]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}


class _Sound(BaseModel):
    """What a client says about the sound that it sends, and wants to know."""

    sr: int = Field(ge=1_000, le=768_000)
    channels: int = Field(1, ge=1, le=64)
    encoding: Literal["s16le", "f32le"] = "s16le"
    top: int = Field(3, ge=1, le=100)


@routes.websocket("/live")
async def live(
    socket: WebSocket,
    service: TheService,
    sound: Annotated[_Sound, Query()],
) -> None:
    """Name the genre of sound while it arrives."""
    try:
        _check_origin(socket, service.limits)
        classifier = await service.classifier()
        places = service.open_places()
        if not places.take(socket):
            raise LiveFullError(places.n_places)
    except SongNetError as error:
        await socket.send_denial_response(answer(document(error)))
        return
    try:
        await socket.accept()
        await socket.send_json(live_ready(classifier.bundle).model_dump())
        ear = _Ear(StreamingClassifier(classifier), sound)
        await _listen(socket, ear, service.limits)
        await socket.close()
    except WebSocketDisconnect:
        pass
    except SongNetError as error:
        await socket.send_json(LiveError(problem=document(error)).model_dump())
        await socket.close(_POLICY_VIOLATION)
    finally:
        places.give_back(socket)


class _Ear:
    """Hears the messages of one connection."""

    def __init__(self, stream: StreamingClassifier, sound: _Sound) -> None:
        self.stream = stream
        self.seconds = 0.0
        self._sound = sound
        self._dtype = _DTYPES[sound.encoding]

    def hear(self, data: bytes) -> LiveAnswer | None:
        n_bytes = self._dtype.itemsize * self._sound.channels
        if len(data) % n_bytes or len(data) > _MAX_MESSAGE_BYTES:
            raise ParameterError(
                f"A message of {len(data)} bytes came; expected at most {_MAX_MESSAGE_BYTES} and "
                f"whole samples of {n_bytes} bytes (all channels)."
            )
        samples = np.frombuffer(data, self._dtype).reshape(-1, self._sound.channels)
        self.seconds += len(samples) / self._sound.sr
        chunk = samples.astype(self._dtype.newbyteorder("="))
        prediction = self.stream.push(chunk, self._sound.sr)
        if prediction is None:
            return None
        return live_answer(prediction, self.stream, top=self._sound.top)


async def _listen(socket: WebSocket, ear: _Ear, limits: ApiLimits) -> None:
    """Hear until the client says stop."""
    while True:
        data = await _next_message(socket, limits.idle_seconds)
        if isinstance(data, bytes):
            if said := await run_in_threadpool(ear.hear, data):
                await socket.send_json(said.model_dump())
            if ear.seconds > limits.max_live_seconds:
                raise AudioTooLongError(
                    f"The connection has heard {limits.max_live_seconds / 60:.3g} minutes, which "
                    "is the limit; connect again to go on."
                )
        elif _command(data) == "reset":
            ear.stream.reset()
        else:
            await socket.send_json(LiveEnd(seconds=ear.stream.seconds_heard).model_dump())
            return


async def _next_message(socket: WebSocket, idle_seconds: float) -> bytes | str:
    try:
        message = await asyncio.wait_for(socket.receive(), idle_seconds)
    except TimeoutError:
        raise IdleError(
            f"Nothing came for {idle_seconds:g} seconds; send sound all the time, silence too."
        ) from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    data: bytes | None = message.get("bytes")
    return message["text"] if data is None else data


def _command(text: str) -> str:
    try:
        kind = json.loads(text)["type"]
    except (ValueError, TypeError, KeyError):
        kind = None
    if kind not in ("reset", "stop"):
        raise ParameterError(
            f'The message {text[:80]!r} is no command; expected {{"type": "reset"}} or '
            '{"type": "stop"}; sound is sent as binary messages.'
        )
    return str(kind)


def _check_origin(socket: WebSocket, limits: ApiLimits) -> None:
    """Refuse pages of other sites: a browser lets any page open any WebSocket."""
    origin = socket.headers.get("origin")
    own = socket.headers.get("host")
    if origin and urlsplit(origin).netloc != own and origin not in limits.origins:
        raise OriginError(
            f"Pages of {origin[:200]} may not listen here; whoever runs the server can allow it "
            "(songnet serve --origin)."
        )
