"""The leader of a team: hands out leases of sample ids until nothing of a run is missing.

The store is the only truth about what is done. A worker that is lost takes its leases with it; when
the others have finished theirs, the store is looked through again, and what is missing is handed
out once more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from bench.errors import BenchError
from bench.run.execute import Outcome, lacking_of
from bench.run.interrupts import Interrupts
from bench.run.plan import Plan
from bench.run.pool import Answer, Team, TeamError
from bench.run.process_worker import Closed, Introduction, require_alike
from bench.run.progress import Progress
from bench.run.work_queue import AHEAD, Lease, LeaseQueue, part_leases
from bench.store.run import PART_SECONDS, Run
from prompts.cells import Sample

#: Seconds between two questions how far a worker is.
ASK_SECONDS = 1.0
#: Seconds that idle workers may take to let go of a run.
RELEASE_SECONDS = 5.0


class Leader:
    """Leads a team through one run.

    Parameters
    ----------
    team : Team
    progress : Progress
    """

    def __init__(self, team: Team, progress: Progress) -> None:
        self.team = team
        self.progress = progress
        self._last_error: Exception | None = None
        #: Number of the process of each worker, on its machine.
        self.processes: dict[str, int] = {}
        self._first: Introduction | None = None
        self._run: Run | None = None
        self._part_seconds = PART_SECONDS
        self._begun: set[str] = set()
        self._asked: dict[str, int] = {}
        self._closed: list[Closed] = []
        self._lost = 0
        self._gone: set[str] = set()
        self._counting = False
        self._told = 0.0

    def muster(self) -> Introduction:
        """Have all load their crews; returns when the first has done so.

        Raises
        ------
        TeamError
            None could.
        BenchError
            What the user can mend: an unknown model, a missing device.
        """
        for worker in list(self.team.workers):
            self.team.ask(worker, "hello")
        while self._first is None:
            self._require_workers()
            self.hear(self.team.answers(1.0))
        return self._first

    def execute(
        self, run: Run, samples: Sequence[Sample], part_seconds: float = PART_SECONDS
    ) -> Outcome:
        """Make what is missing of a run. Whoever calls holds the lock of the folder.

        Raises
        ------
        TeamError
            All workers were lost.
        BenchError
            What one of them met and the user can mend; what was finished is stored.
        """
        start = time.monotonic()
        self._run, self._part_seconds = run, part_seconds
        for worker in self.introduced:
            self._begin(worker)
        plan = Plan(samples)
        interrupts = Interrupts()
        try:
            with interrupts.installed():
                left, unscored = self._rounds(run, plan, interrupts)
        finally:
            self._counting = False
            self.progress.end()
        return Outcome(
            images=len(plan),
            missing=left + unscored,
            made=sum(one.made for one in self._closed),
            rescored=sum(one.rescored for one in self._closed),
            interrupted=interrupts.asked,
            seconds=time.monotonic() - start,
            sampling=sum(one.sampling for one in self._closed) / max(1, len(self._begun)),
        )

    def control(self) -> dict[str, Any]:
        """Have one worker judge the judge."""
        while True:
            self._require_workers()
            worker = next(iter(self._living()))
            self.team.ask(worker, "control")
            while worker in self.team.workers:
                for answer in self.hear(self.team.answers(1.0)):
                    if answer.method == "control":
                        found: dict[str, Any] = answer.value
                        return found

    def release(self) -> None:
        """Have the workers let go of the run; they have closed what they had in hand."""
        waiting = set(self._living())
        for worker in waiting:
            self.team.ask(worker, "leave")
        end = time.monotonic() + RELEASE_SECONDS
        while waiting & set(self.team.workers) and time.monotonic() < end:
            for answer in self.team.answers(0.5):
                if answer.method == "leave" or answer.lost:
                    waiting.discard(answer.worker)

    def _rounds(self, run: Run, plan: Plan, interrupts: Interrupts) -> tuple[int, int]:
        """Hand out what is missing until nothing is; returns what is left."""
        before = None
        while True:
            run.drop_repeated()
            stored = run.ids("samples")
            lacking = lacking_of(run, stored)
            missing = plan.missing(stored)
            unscored = plan.count(set().union(*lacking.values()))
            if interrupts.asked or not (missing or lacking):
                return len(missing), unscored
            state = (self._lost, len(missing), sum(map(len, lacking.values())))
            if state == before:
                raise BenchError(
                    f"the workers finished their leases, but {len(missing):,} images are missing "
                    f"and {unscored:,} are not scored"
                )
            before = state
            self._round(run, lacking, missing, len(plan), interrupts)

    def _round(
        self,
        run: Run,
        lacking: dict[str, set[str]],
        missing: list[str],
        planned: int,
        interrupts: Interrupts,
    ) -> None:
        again = list(part_leases(run, lacking))
        queue = LeaseQueue(again, missing, self._first.batch if self._first else 1, self._living)
        if again and missing:
            done = planned - len(missing) - len(set().union(*lacking.values()))
            self.progress.begin("scoring and sampling", planned, done)
        elif again:
            self.progress.begin("scoring stored images", len(set().union(*lacking.values())))
        else:
            self.progress.begin("sampling", planned, planned - len(missing))
        self._counting = True
        stopping = False
        while queue or any(self._asked.values()):
            if interrupts.asked and not stopping:
                stopping = True
                queue.clear()
                self.progress.say(
                    "stopping: the images in hand are finished first (Ctrl-C again: at once)"
                )
                for worker in self._living():
                    self.team.ask(worker, "stop")
            self._require_workers()
            for worker in self._living():
                while queue and self._asked[worker] < AHEAD:
                    self._ask(worker, queue.next())
            self.hear(self.team.answers(0.2))
            self._ask_how_far()
        for worker in self._living():
            self._ask(worker, Lease("close", ()))
        while any(self._asked.values()):
            self.hear(self.team.answers(0.2))
            self._ask_how_far()
        self._counting = False

    def _ask_how_far(self) -> None:
        if time.monotonic() - self._told >= ASK_SECONDS:
            self._told = time.monotonic()
            for worker in self._living():
                self.team.ask(worker, "tally")

    @property
    def introduced(self) -> list[str]:
        """Workers that have loaded their crews."""
        return [worker for worker in self.team.workers if worker in self._asked]

    def _living(self) -> list[str]:
        """Workers that can take a lease."""
        return [worker for worker in self.team.workers if worker in self._begun]

    def _begin(self, worker: str) -> None:
        self._begun.add(worker)
        assert self._run is not None
        manifest = self._run.manifest.model_dump_json()
        self._ask(worker, Lease("begin", (self._run.folder, manifest, self._part_seconds)))

    def _ask(self, worker: str, lease: Lease) -> None:
        self._asked[worker] = self._asked.get(worker, 0) + 1
        self.team.ask(worker, lease.method, *lease.args)

    def _require_workers(self) -> None:
        if not self.team.workers:
            reason = f": {self._last_error}" if self._last_error else ""
            raise TeamError(
                f"no worker is left{reason}; what was finished is stored, run the same command "
                "again to go on"
            )

    def hear(self, answers: list[Answer]) -> list[Answer]:
        """Take in what was answered; returns it.

        Raises
        ------
        BenchError
            What a worker met and the user can mend.
        """
        for answer in answers:
            # Of several leases in hand each can fail; a worker is mourned once.
            if answer.worker in self._gone:
                continue
            if answer.method in ("begin", "rescore", "sample", "close"):
                self._asked[answer.worker] = self._asked.get(answer.worker, 1) - 1
            if answer.lost:
                self._mourn(answer.worker, answer.lost)
            elif isinstance(answer.error, BenchError):
                self._close_others(answer.worker)
                raise answer.error
            elif answer.error is not None:
                self._last_error = answer.error
                self.team.dismiss(answer.worker)
                self._mourn(answer.worker, str(answer.error))
            elif answer.method == "hello":
                self._welcome(answer.worker, answer.value)
            elif answer.method == "begin":
                self.processes[answer.worker] = answer.value
            elif answer.method == "close":
                self._closed.append(answer.value)
                self.progress.advance(answer.value.finished)
            elif answer.method == "tally" and self._counting:
                self.progress.advance(answer.value)
        return answers

    def _welcome(self, worker: str, said: Introduction) -> None:
        self._asked.setdefault(worker, 0)
        if self._first is None:
            self._first = said
            return
        require_alike(worker, self._first, said)
        if self._run is not None:
            self._begin(worker)

    def _mourn(self, worker: str, reason: str) -> None:
        self._gone.add(worker)
        if worker in self._asked or worker in self._begun:
            self._lost += 1
        self._asked.pop(worker, None)
        self._begun.discard(worker)
        rest = len(self.team.workers)
        heirs = "one other does" if rest == 1 else f"{rest} others do" if rest else "nobody is left"
        self.progress.say(
            f"note: worker {worker} is lost ({reason}); {heirs}{' its images' if rest else ''}"
        )

    def _close_others(self, broken: str) -> None:
        """Have the others finish what they have in hand; one of them met an error."""
        for worker in self._living():
            self.team.ask(worker, "stop")
            self.team.ask(worker, "close")
        waiting = set(self._living()) - {broken}
        while waiting & set(self.team.workers):
            for answer in self.team.answers(1.0):
                if answer.method == "close" or answer.lost:
                    waiting.discard(answer.worker)
