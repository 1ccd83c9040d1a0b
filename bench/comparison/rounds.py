"""The interleaved rounds, and the samples they yield."""

import contextlib
import functools
import sys

from . import clients, storage
from .processes import MeasureError


class Rounds:
    """Takes samples until every round is done or the user has had enough.

    One round is one sample of every server in every cell. Within a cell the servers follow each
    other directly, and each round begins with another of them: what else the machine does in
    these seconds meets all of them alike.
    """

    def __init__(self, settings, cells, servers, paths, folder, samples):
        self.settings = settings
        self.cells = cells
        self.servers = servers
        self.paths = paths
        self.folder = folder
        self.samples = samples

    def run(self):
        for number in range(self.settings.rounds):
            for cell in self.cells:
                self._one_cell(number, cell)

    def _one_cell(self, number, cell):
        if self._path(cell) is None:
            return
        contenders = [server for server in self.servers if server.fits(cell)]
        turn = number % max(1, len(contenders))
        for server in contenders[turn:] + contenders[:turn]:
            self._take(number, cell, server.name, functools.partial(self._serve, cell, server))
        if number < self.settings.local_rounds:
            for name, measure in clients.local_limits(cell).items():
                self._take(number, cell, name, functools.partial(self._limit, cell, measure),
                           local=True)

    def _path(self, cell):
        return self.paths.get("loop" if cell.target == "loop" else "file")

    def _serve(self, cell, server, path):
        with server.serving(cell, path, self.folder) as serving:
            measure = clients.CLIENTS[cell.client]
            return measure(self.settings, cell.shape, serving, self.folder)

    def _limit(self, cell, measure, path):
        return measure(self.settings, cell, path, self.folder)

    def _take(self, number, cell, name, measure, local=False):
        path = self._path(cell)
        sample = {"round": number, "cell": cell.name, "server": name, "local": local}
        try:
            if cell.target != "loop":
                storage.read_in(path)  # what left the page cache meanwhile would be one's misses
            sample = measure(path) | sample
            told = f"{sample[cell.metric]:,.0f} {cell.unit}"
        except (MeasureError, OSError, ValueError, KeyError) as why:
            sample["error"] = told = str(why)
        self.samples.append(sample)
        print(f"round {number + 1}/{self.settings.rounds}  {cell.name}  {name}: {told}",
              file=sys.stderr, flush=True)
        if cell.shape.writes:
            with contextlib.suppress(OSError):
                storage.settle(path)
