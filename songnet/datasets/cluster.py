"""Log-mels of many files: here for a few, on Dask for more, on one machine or many."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.exceptions import AudioError, DatasetError
from songnet.signal.audio import load_audio
from songnet.signal.degrade import Degradation, degrade
from songnet.signal.features import log_mel

__all__ = ["Outcome", "Work", "compute_all", "compute_log_mel"]

# Starting a cluster takes as long as some clips of 30 s.
_FEW = 16
_AHEAD = 8
_CONNECT_SECONDS = 30


@dataclass(frozen=True)
class Work:
    """One file to compute.

    Parameters
    ----------
    source : Path
        Readable under this path wherever it is computed.
    key : str
        SHA-256 of the audio; seeds the degradation.
    config : FeatureConfig
    degradation : Degradation, optional
    """

    source: Path
    key: str
    config: FeatureConfig
    degradation: Degradation | None = None


@dataclass(frozen=True)
class Outcome:
    """The log-mel of one file, shape (n_frames, n_mels), or why there is none."""

    S_db: npt.NDArray[np.float16] | None = None
    problem: str = ""


def compute_log_mel(work: Work) -> Outcome:
    """Compute one file."""
    from threadpoolctl import threadpool_limits

    try:
        # On several threads BLAS sums in another order: a worker's share of the cores would show.
        with threadpool_limits(1):
            y, _ = load_audio(work.source, sr=work.config.sr)
            if work.degradation:
                y = degrade(y, sr=work.config.sr, key=work.key, settings=work.degradation)
            S_db = log_mel(y, config=work.config)
    except AudioError as error:
        return Outcome(problem=str(error))
    return Outcome(S_db.T.astype(np.float16))


def compute_all(
    works: Sequence[Work], *, jobs: int | None = None, scheduler: str | None = None
) -> Iterator[Outcome]:
    """Compute many files, and yield each in the given order.

    A worker that is lost is survived: what it had is computed by another. A
    file that several workers died of is a problem of that file.

    Parameters
    ----------
    works : sequence of Work
    jobs : int, optional
        Processes of the local cluster; the number of cores if not given. With
        1, or for a few files, everything is computed in this process.
    scheduler : str, optional
        Address of a running Dask scheduler, as "tcp://host:8786", whose
        workers have songnet installed and see the files under the same paths.

    Yields
    ------
    outcome : Outcome

    Raises
    ------
    DatasetError
        If the scheduler cannot be reached, has no worker, or is lost.
    """
    if scheduler is None and (jobs == 1 or len(works) < _FEW):
        yield from map(compute_log_mel, works)
        return
    with ExitStack() as stack:
        client = _connect(stack, jobs=jobs, scheduler=scheduler)
        n_ahead = _AHEAD * max(1, sum(client.nthreads().values()))
        rest = iter(works)
        pending = deque(_submit(client, work) for work in islice(rest, n_ahead))
        while pending:
            outcome = _result(pending.popleft())
            pending.extend(_submit(client, work) for work in islice(rest, 1))
            yield outcome


def _connect(stack: ExitStack, *, jobs: int | None, scheduler: str | None) -> Any:
    """Return a client, an untyped class, of the scheduler or of a cluster on this machine."""
    distributed: Any = import_module("distributed")

    if scheduler is None:
        address = stack.enter_context(
            distributed.LocalCluster(
                n_workers=jobs or os.cpu_count(),
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",  # any free port: two runs side by side
                silence_logs=logging.CRITICAL,
            )
        )
    else:
        address = scheduler
    try:
        client = stack.enter_context(
            distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        )
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"The scheduler {scheduler} cannot be reached or has no worker ({error}); start one "
            "with `dask scheduler`, workers with `dask worker`, and give tcp://host:8786."
        ) from error
    return client


def _submit(client: Any, work: Work) -> Any:
    return client.submit(compute_log_mel, work, pure=False)


def _result(future: Any) -> Outcome:
    from distributed import CancelledError, KilledWorker

    try:
        outcome: Outcome = future.result()
    except KilledWorker:
        return Outcome(problem="Several workers died while they computed it.")
    except CancelledError as error:
        raise DatasetError(
            "The connection to the scheduler was lost. What was computed is kept: start the "
            "scheduler again and repeat the command."
        ) from error
    return outcome
