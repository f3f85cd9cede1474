"""The WebSocket: sound in as it arrives, rolling predictions out.

A client connects to ``live?sr=48000&channels=1&encoding=s16le`` and sends the
sound as binary messages, any number of whole samples each. It may send
``{"type": "reset"}`` to begin anew and ``{"type": "stop"}`` to end. A client
that sends faster than the sound is heard is slowed down by the connection
itself: the next message is read when the one before was heard. Empty messages
and commands are no sound: they do not keep a connection open.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from songnet.api.patience import Patience
from songnet.api.problems import IdleError, answer, document
from songnet.api.schemas import LiveAnswer, LiveEnd, LiveError, live_answer, live_ready
from songnet.api.service import ApiLimits, TheService
from songnet.exceptions import AudioTooLongError, ParameterError, SongNetError
from songnet.inference.live_places import LiveFullError
from songnet.inference.streaming import StreamingClassifier

__all__ = ["MAX_MESSAGE_BYTES", "routes"]

routes = APIRouter()
MAX_MESSAGE_BYTES = 2**20
_MAX_COMMAND_CHARACTERS = 200
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
        service.limits.check_origin(socket)
        classifier = await service.classifier()
        places = service.open_places()
        if not places.take(socket):
            raise LiveFullError(places.n_places)
    except SongNetError as error:
        await socket.send_denial_response(answer(document(error)))
        return
    try:
        await socket.accept()
        session = _Session(socket, _Ear(StreamingClassifier(classifier), sound), service.limits)
        await session.send(live_ready(classifier.bundle))
        await session.listen()
        await socket.close()
    except (WebSocketDisconnect, TimeoutError):  # gone, or it does not read what it is sent
        pass
    except SongNetError as error:
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await session.send(LiveError(problem=document(error)))
            await socket.close(_POLICY_VIOLATION)
    finally:
        places.give_back(socket)


class _Ear:
    """Hears the messages of one connection."""

    def __init__(self, stream: StreamingClassifier, sound: _Sound) -> None:
        self.stream = stream
        self._sound = sound
        self._dtype = _DTYPES[sound.encoding]
        self._n_bytes = self._dtype.itemsize * sound.channels

    def seconds(self, data: bytes) -> float:
        return len(data) / (self._n_bytes * self._sound.sr)

    def hear(self, data: bytes) -> LiveAnswer | None:
        n_bytes = self._n_bytes
        if len(data) % n_bytes or len(data) > MAX_MESSAGE_BYTES:
            raise ParameterError(
                f"A message of {len(data)} bytes came; expected at most {MAX_MESSAGE_BYTES} and "
                f"whole samples of {n_bytes} bytes (all channels)."
            )
        samples = np.frombuffer(data, self._dtype).reshape(-1, self._sound.channels)
        chunk = samples.astype(self._dtype.newbyteorder("="))
        prediction = self.stream.push(chunk, self._sound.sr)
        if prediction is None:
            return None
        return live_answer(prediction, self.stream, top=self._sound.top)


class _Session:
    """One connection: what comes in, and what goes out in time."""

    def __init__(self, socket: WebSocket, ear: _Ear, limits: ApiLimits) -> None:
        self._socket = socket
        self._ear = ear
        self._limits = limits
        self._ends_at = time.monotonic() + limits.max_live_seconds
        self._patience = Patience(limits.idle_seconds)

    async def send(self, said: BaseModel) -> None:
        """Send a message; TimeoutError if the client does not take it."""
        message = self._socket.send_json(said.model_dump())
        await asyncio.wait_for(message, self._limits.idle_seconds)

    async def listen(self) -> None:
        """Hear until the client says stop."""
        while True:
            data = await self._next_message()
            if isinstance(data, bytes):
                self._patience.earn(self._ear.seconds(data))
                if said := await run_in_threadpool(self._ear.hear, data):
                    await self.send(said)
            elif _command(data) == "reset":
                self._ear.stream.reset()
            else:
                await self.send(LiveEnd(seconds=self._ear.stream.seconds_heard))
                return

    async def _next_message(self) -> bytes | str:
        left = self._ends_at - time.monotonic()
        try:
            message = await self._patience.wait(self._socket.receive(), at_most=left)
        except TimeoutError:
            raise self._why_over() from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        data: bytes | None = message.get("bytes")
        return message["text"] if data is None else data

    def _why_over(self) -> SongNetError:
        if time.monotonic() >= self._ends_at:
            minutes = self._limits.max_live_seconds / 60
            return AudioTooLongError(
                f"The connection has lasted {minutes:.3g} minutes, which is the limit; connect "
                "again to go on."
            )
        return IdleError(
            f"The sound is {self._limits.idle_seconds:g} seconds behind the clock; send it all the "
            "time, silence too."
        )


def _command(text: str) -> str:
    try:
        kind = json.loads(text)["type"] if len(text) <= _MAX_COMMAND_CHARACTERS else None
    except (ValueError, TypeError, KeyError):
        kind = None
    if kind not in ("reset", "stop"):
        raise ParameterError(
            f'The message {text[:80]!r} is no command; expected {{"type": "reset"}} or '
            '{"type": "stop"}; sound is sent as binary messages.'
        )
    return str(kind)
