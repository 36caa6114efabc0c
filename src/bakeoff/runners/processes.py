"""Several processes on one run folder, which share its trials out by their locks."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from queue import Queue
from threading import Thread
from typing import IO

from bakeoff.errors import BakeoffError
from bakeoff.runners.crew import Crew, Order, forked_crew, may_fork, started_crew
from bakeoff.runners.events import Event, event_in
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.serial import run_serially
from bakeoff.runners.setting import Setting
from bakeoff.runners.worker import lead

_LAST_WORDS = 20.0
"""Seconds that workers have after SIGTERM; a training step may take a while."""

Hear = Callable[[str], None]


def run_in_workers(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    listener: Listener,
    *,
    crew: Crew | None,
    jobs: int,
    threads: int,
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """Train in `jobs` processes with `threads` each, and then what others gave up; a Runner."""
    left = train_in_workers(
        setting,
        trials,
        listener,
        crew=crew,
        jobs=jobs,
        threads=threads,
        meanwhile=meanwhile,
    )
    run_serially(setting, left, listener)


def train_in_workers(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    listener: Listener,
    *,
    crew: Crew | None,
    jobs: int,
    threads: int,
    meanwhile: Callable[[], object] | None = None,
) -> list[PlannedTrial]:
    """Train what nobody else does in `jobs` processes, with `threads` each.

    They are those of `crew`, which was started before; without one they are forked from this
    process, or started, if it has threads. `meanwhile` is done in a thread of this process.

    Returns the trials that others were at when the workers had nothing left to do; some may be
    finished since. Raises BakeoffError with the line of the first worker that failed. However this
    ends, no worker is left: they are asked to stop as by Ctrl-C, and they stop if this process
    dies.
    """
    relay = _Relay(setting, {planned.key: planned for planned in trials}, listener)
    with _at_work(setting, trials, crew, jobs, threads) as working:
        try:
            if meanwhile is not None:
                Thread(target=meanwhile, daemon=True).start()
            _listen(working, relay)
        except BaseException:
            working.signal(signal.SIGTERM)
            raise
        finally:
            code = _code_of(working)
    if complaint := relay.complaint(code):
        raise BakeoffError(complaint)
    return [planned for planned in trials if planned.key not in relay.settled]


@contextmanager
def _at_work(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    started: Crew | None,
    jobs: int,
    threads: int,
) -> Iterator[Crew]:
    """Let a crew begin, the one that was started or a new one."""
    # A fork of a process that has used a GPU cannot use it.
    if started is None and may_fork(threads) and setting.device.type == "cpu":
        with forked_crew(partial(lead, setting, trials, jobs, threads)) as crew:
            yield crew
        return
    folder = setting.folder
    order = Order(
        directory=str(folder.path.absolute()),
        seeds=folder.study.seeds,
        device=setting.device.type,
        precision=setting.precision,
        jobs=jobs,
        threads=threads,
    )
    with nullcontext(started) if started else started_crew(folder.study.protocol.dataset) as crew:
        crew.begin(order)
        yield crew


@dataclass
class _Relay:
    """Tells a listener what all workers tell, once."""

    setting: Setting
    trials: Mapping[tuple[str, int], PlannedTrial]
    listener: Listener
    settled: set[tuple[str, int] | None] = field(default_factory=set)
    """Trials that a worker began, or that were told as finished elsewhere."""
    failed: str = ""
    """Why the first worker that failed could not go on."""
    printed: str = ""
    """The last line on standard error: of a library's warning, or of a traceback."""

    def pass_on(self, line: str) -> None:
        """Tell what a line of a worker says; one that is no event is shown as it is."""
        event = event_in(line)
        if event is None:
            self.listener.stage(line)
        elif event.event == "failed":
            # It is this process's to say.
            self.failed = self.failed or str(event.detail)
        elif not self._is_known(event):
            event.tell(self.trials, self.setting.folder, self.listener)

    def show(self, line: str) -> None:
        """Show a line of standard error as it is."""
        self.printed = line
        self.listener.stage(line)

    def complaint(self, code: int) -> str | None:
        """Return in one line why a crew that ended with `code` failed, or None if it did not."""
        if code == 0:
            return None
        if code < 0 and not self.failed:
            return f"the workers were ended by signal {-code}; the same command goes on"
        return self.failed or self.printed or f"a worker failed with exit code {code}"

    def _is_known(self, event: Event) -> bool:
        """Return whether it says of a trial of another worker that it was finished elsewhere."""
        if event.event == "trial_elsewhere" and event.trial in self.settled:
            return True
        if event.event in {"trial_started", "trial_elsewhere"}:
            self.settled.add(event.trial)
        return False


def _listen(crew: Crew, relay: _Relay) -> None:
    """Pass on what the workers tell until all are silent."""
    lines: Queue[tuple[Hear, str | None]] = Queue()
    streams = ((crew.told, relay.pass_on), (crew.printed, relay.show))
    for each in streams:
        Thread(target=_forward, args=(*each, lines), daemon=True).start()
    speaking = len(streams)
    while speaking:
        hear, line = lines.get()
        if line is None:
            speaking -= 1
        else:
            hear(line)


def _forward(stream: IO[str], hear: Hear, lines: Queue[tuple[Hear, str | None]]) -> None:
    """Put each line of the workers into the queue, with who hears it, and None after the last."""
    for line in stream:
        lines.put((hear, line.rstrip("\n")))
    lines.put((hear, None))


def _code_of(crew: Crew) -> int:
    """Return what the workers exit with; those that do not go are made to."""
    code = crew.wait(_LAST_WORDS)
    if code is None:
        crew.signal(signal.SIGKILL)
        code = crew.wait(None)
    return code or 0
