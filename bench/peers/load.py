"""How busy the machine is with other programs."""

import os
import resource
from pathlib import Path

LIMIT = 0.10
"""Share of all processors' time that others may take before a run is flagged; `mnist-study` has the same limit."""


def average() -> float | None:
    """Programs that wanted a processor, the mean of the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


class Meter:
    """From its making on: the share of all processors' time that neither ran our children nor was idle."""

    def __init__(self) -> None:
        self.start = self.read()

    @staticmethod
    def read() -> tuple[float, float] | None:
        """Seconds of all processors: in all, and spent by others than our children."""
        try:
            # user, nice, system, idle, iowait, irq, softirq, steal; guest time is counted in user already.
            ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        except OSError:
            return None
        per_second = os.sysconf("SC_CLK_TCK")
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        total, idle = sum(ticks) / per_second, (ticks[3] + ticks[4]) / per_second
        return total, total - idle - children.ru_utime - children.ru_stime

    def others(self) -> float | None:
        now = self.read()
        # In less than a second of two processors the counters are too coarse to accuse anyone.
        if self.start is None or now is None or now[0] - self.start[0] < 2:
            return None
        return max(0.0, (now[1] - self.start[1]) / (now[0] - self.start[0]))
