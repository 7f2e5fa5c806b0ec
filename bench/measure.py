# SPDX-License-Identifier: MIT
"""What /proc tells about a server, and the cores that things run on."""
import os
import pathlib
import resource
import signal
import subprocess

PROC = pathlib.Path("/proc")
NICE = -6  # where that is allowed: what else runs disturbs less
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


def cores():
    """(the server's core, the load's cores): the last one for the server, where there are two."""
    every = sorted(os.sched_getaffinity(0))
    return ({every[-1]}, set(every[:-1])) if len(every) > 1 else (set(every), set(every))


def start(command, on, **options):
    """A process that runs on these cores alone, before others where we may say so.

    It has a session of its own, and with it a scheduling group of its own, whose rank counts as well.
    """
    def prepare():
        os.setsid()
        os.sched_setaffinity(0, on)
        try:
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
            (PROC / "self" / "autogroup").write_text(str(NICE))
        except OSError:
            pass

    return subprocess.Popen([str(c) for c in command], preexec_fn=prepare, **options)


def raise_file_limit(wanted=65536):
    """As many descriptors as we may have, for us and all that we start; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (wanted, min(hard, wanted)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), max(hard, limit)))
            break
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def family(pid):
    """The process and all that come from it."""
    pids = [pid]
    for task in tasks(pid):
        for child in (task / "children").read_text().split():
            pids += family(int(child))
    return pids


def tasks(pid):
    """The threads' folders; none, if a child has just gone."""
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except FileNotFoundError:
        return []


def cpu_us(pid):
    """µs of CPU that the process and its children have used, in user and kernel mode together.

    utime + stime of /proc/PID/stat count the same in steps of 10 ms; schedstat has it in ns.
    """
    total = 0
    for member in family(pid):
        for task in tasks(member):
            try:
                total += int((task / "schedstat").read_text().split()[0]) / 1e3
            except FileNotFoundError:
                fields = (task / "stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) * TICK_US
    return total


def anonymous_bytes(pid):
    """Memory of the process and its children that no file stands behind: heap, stacks."""
    total = 0
    for member in family(pid):
        for line in (PROC / str(member) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Anonymous:"):
                total += int(line.split()[1]) * 1024
    return total


def stop(process):
    """Ends a process that we started, politely first."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
