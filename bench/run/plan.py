"""The images of a run, found by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from prompts.cells import Sample


class Plan:
    """All images asked for; a million take a few dozen megabytes.

    Parameters
    ----------
    samples : sequence of Sample
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._ids = np.array([sample.id for sample in samples], dtype=np.bytes_)
        self._order = np.argsort(self._ids, kind="stable")

    def __len__(self) -> int:
        return len(self._samples)

    def samples(self, ids: Iterable[str]) -> list[Sample]:
        """Return the samples of some ids, in their order.

        Raises
        ------
        KeyError
            An id that is not asked for.
        """
        wanted = np.array(list(ids), dtype=np.bytes_)
        if not len(wanted):
            return []
        if not len(self):
            raise KeyError(wanted[0].decode())
        places = np.searchsorted(self._ids, wanted, sorter=self._order).clip(0, len(self) - 1)
        found = self._order[places]
        strangers = wanted[self._ids[found] != wanted]
        if len(strangers):
            raise KeyError(strangers[0].decode())
        return [self._samples[place] for place in found]

    def missing(self, stored: Iterable[str]) -> list[str]:
        """Ids that are not stored, in the order of the plan."""
        there = np.array(list(stored), dtype=np.bytes_)
        return [key.decode() for key in self._ids[~np.isin(self._ids, there)]]

    def count(self, ids: Iterable[str]) -> int:
        """How many of some ids are asked for."""
        return int(np.isin(self._ids, np.array(list(ids), dtype=np.bytes_)).sum())
