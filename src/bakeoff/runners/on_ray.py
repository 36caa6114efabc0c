"""Trials as tasks of Ray, on whatever machines its cluster has; see https://docs.ray.io.

A task is an errand: it needs no folder. Its driver, this process, holds the locks, keeps the
checkpoints that come back, and writes each trial. So a worker that dies costs what was trained
since its last checkpoint, and a driver that dies no more.
"""

from __future__ import annotations

import signal
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bakeoff.errors import BakeoffError, UsageError
from bakeoff.files import locks
from bakeoff.files.locks import Say
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.record import Epoch
from bakeoff.records.working import machine_name
from bakeoff.runners.errand import Begun, Errand, train_far_away
from bakeoff.runners.events import Event
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting
from bakeoff.runners.signature import Signature
from bakeoff.training.trial import Trial

_POLL = 0.5
"""Seconds after which the trials of other processes, and the size of the cluster, are looked at."""
_STARTS = 3
"""How often a Ray of this machine is started, where it does not come up."""
_ANSWERS = 5.0
"""Seconds that an address has to answer."""
_DEATHS = 10
"""Of a trial's workers without a checkpoint between them, before it is taken for the cause."""


def run_on_ray(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    listener: Listener,
    *,
    address: str,
    jobs: int | None,
    threads: int,
    gpus: float,
) -> None:
    """Train as many trials at once as the cluster has room for, at most `jobs`; a Runner.

    address: of a cluster, as HOST:PORT, or `auto` for the one of this machine; where it is empty
    one is started here, with `jobs` times `threads` cores, and ended with the run. Each trial asks
    for `threads` cores, and on a GPU for `gpus` of one. Raises BakeoffError with one line, which
    names the machine where one is not fit for the run; then nothing more is begun.
    """
    if not trials:
        return
    cores = None if jobs is None else jobs * threads
    with _connected(address, cores, listener.stage) as ray:
        _Driver(ray, setting, listener, jobs, threads, gpus).run(trials)


@contextmanager
def _connected(address: str, cores: int | None, say: Say) -> Iterator[Any]:
    try:
        import ray
    except ImportError as error:
        raise UsageError("--on ray: Ray is not installed; pip install 'bakeoff[ray]'") from error
    _refuse_silent(address)
    how: dict[str, Any] = {"address": address}
    if not address:
        how = {"address": "local", "num_cpus": cores, "include_dashboard": False}
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    # One that is started has half a minute for it, which is little where all cores are busy.
    left = 1 if address else _STARTS
    while left:
        left -= 1
        try:
            ray.init(**how, log_to_driver=False, configure_logging=False)
            break
        except Exception as error:
            # What Ray raises is of many kinds, and often of many lines.
            told = str(error).strip().splitlines() or [type(error).__name__]
            line = f"Ray at {address or 'this machine'}: {told[0]}"
            ray.shutdown()
            if address:
                line += "; where it asks for a token, set RAY_AUTH_MODE=token"
            if not left:
                raise BakeoffError(line) from error
            say(f"{line}; it is started once more")
    try:
        for number, handler in kept.items():
            signal.signal(number, handler)  # Ray has its own, which end the process elsewhere.
        yield ray
    finally:
        ray.shutdown()


def _refuse_silent(address: str) -> None:
    """Raise BakeoffError where nothing answers, which Ray would wait for half a minute."""
    if address in ("", "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"--on ray:{address}: write ray:HOST:PORT, as ray:10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), _ANSWERS).close()
    except (OSError, OverflowError) as error:
        raise BakeoffError(
            f"Ray at {address}: does not answer ({error}); is `ray start --head` running there?"
        ) from error


@dataclass
class _Task:
    """A trial that is trained somewhere, and what the driver holds for it."""

    planned: PlannedTrial
    lock: ExitStack
    signature: Signature
    checkpoints: Checkpoints
    deaths: int = 0
    """Since its last checkpoint."""


class _Driver:
    def __init__(
        self,
        ray: Any,
        setting: Setting,
        listener: Listener,
        jobs: int | None,
        threads: int,
        gpus: float,
    ) -> None:
        self._ray, self._setting, self._listener = ray, setting, listener
        self._folder, self._jobs = setting.folder, jobs
        self._asked = {"CPU": float(threads)}
        if setting.device.type == "cuda":
            self._asked["GPU"] = gpus
        self._function = ray.remote(train_far_away).options(
            num_returns="streaming",
            num_cpus=threads,
            num_gpus=self._asked.get("GPU", 0),
            max_retries=0,  # Ray would begin anew; from its checkpoint the driver begins it.
        )
        self._errand = ray.put(
            Errand(
                origin=setting.origin.model_dump_json(),
                study=setting.folder.study.model_dump_json(),
                kept=setting.folder.kept_code(),
                device=setting.device.type,
                threads=threads,
            )
        )
        self._running: dict[Any, _Task] = {}
        self._machines: set[str] = set()

    def run(self, trials: Sequence[PlannedTrial]) -> None:
        """Return when all trials are finished, here or elsewhere."""
        waiting = deque(trials)
        try:
            while waiting or self._running:
                others = self._fill(waiting)
                if not self._running:
                    time.sleep(_POLL)
                elif ready := self._ray.wait([*self._running], num_returns=1, timeout=_POLL)[0]:
                    self._hear(ready[0])
                waiting.extend(others)
        finally:
            for task in self._running.values():
                task.lock.close()

    def _fill(self, waiting: deque[PlannedTrial]) -> list[PlannedTrial]:
        """Begin as many trials as there is room for; return those that others hold."""
        others, room = [], self._room()
        while waiting and len(self._running) < room:
            planned = waiting.popleft()
            lock = ExitStack()
            file = self._folder.lock(*planned.key)
            if not lock.enter_context(locks.held_if_free(file)):
                others.append(planned)
            elif self._folder.has_trial(*planned.key):
                self._listener.trial_elsewhere(planned)
            else:
                making = self._folder.unfinished(*planned.key)
                kept = Checkpoints(making, self._listener.stage)
                self._begin(_Task(planned, lock.pop_all(), Signature(file), kept))
            lock.close()
        return others

    def _room(self) -> int:
        """Return how many trials the cluster can train at once, as large as it is now."""
        there = self._ray.cluster_resources()
        room = min(int(there.get(name, 0) / each) for name, each in self._asked.items())
        if room == 0 and not self._running:
            asked = ", ".join(f"{name} {each:g}" for name, each in self._asked.items())
            had = ", ".join(f"{name} {there.get(name, 0):g}" for name in self._asked)
            raise BakeoffError(f"Ray: a trial asks for {asked}, and the cluster has {had}")
        return room if self._jobs is None else min(room, self._jobs)

    def _begin(self, task: _Task) -> None:
        self._listener.trial_started(task.planned)
        files = task.checkpoints.files()
        self._running[self._function.remote(self._errand, *task.planned.key, files)] = task

    def _hear(self, answers: Any) -> None:
        """Take the next answer of a task, or begin it anew where its worker is dead."""
        from ray.exceptions import RayError, RayTaskError

        task = self._running[answers]
        try:
            answer = self._ray.get(next(answers))
        except RayTaskError as error:
            line = str(error.cause or error).strip().splitlines()[0]
            raise BakeoffError(f"a worker of Ray: {line}") from error
        except (RayError, StopIteration) as error:
            del self._running[answers]
            self._begin_anew(task, str(error).partition("\n")[0])
        else:
            self._take(answers, task, answer)

    def _begin_anew(self, task: _Task, why: str) -> None:
        entrant, seed = task.planned.key
        task.deaths += 1
        if task.deaths == _DEATHS:
            task.lock.close()
            raise BakeoffError(
                f"{entrant} seed {seed}: {_DEATHS} workers died of it, one after the other: {why}"
            )
        self._listener.stage(f"{entrant} seed {seed}: its worker died, and another one goes on")
        self._begin(task)

    def _take(self, answers: Any, task: _Task, answer: object) -> None:
        planned = task.planned
        match answer:
            case Begun(machine, process):
                task.signature.at(machine, process)
                if machine != machine_name():
                    self._listener.trial_placed(planned, machine)
                if machine not in self._machines:
                    self._machines.add(machine)
                    self._listener.stage(f"{machine} trains")
            case Event(event="failed", detail=str(why)):
                raise BakeoffError(why)
            case Event():
                if isinstance(answer.detail, Epoch):
                    task.signature.reached(answer.detail.epoch)
                answer.tell({planned.key: planned}, self._folder, self._listener)
            case dict():
                task.deaths = 0
                for name, content in answer.items():
                    task.checkpoints.keep(name, content)
            case Trial():
                self._folder.write_trial(answer.record, answer.weights, answer.predictions)
                del self._running[answers]
                task.lock.close()
                self._listener.trial_ended(planned, answer.record)
