"""Processor time of programs that run, their children included."""

import psutil


def cpu_seconds(pid: int) -> float:
    """Return the user and system seconds that a process and all it started have used so far, the ended ones too."""
    program = psutil.Process(pid)
    total = 0.0
    for process in (program, *program.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total
