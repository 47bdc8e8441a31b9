"""What a launcher says of the job that this process is one rank of: so that its ranks find each other in one run.

launcher                 rank, size                        what only this job has
torchrun, accelerate     RANK, WORLD_SIZE                  TORCHELASTIC_RUN_ID, or on one node the launcher's process
srun                     SLURM_PROCID, SLURM_NTASKS        SLURM_JOB_ID and SLURM_STEP_ID
Open MPI                 OMPI_COMM_WORLD_RANK, …_SIZE      SLURM_JOB_ID

An address and a port say nothing: yesterday's job on this machine had the same.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
)


class Job(NamedTuple):
    """This process's place in a job of several. `identity` is empty where the ranks are given nothing to share."""

    rank: int
    identity: str

    def run_id(self, parent_run_id: str, number: int) -> str:
        """The id of the job's run of this number, which every rank finds by itself; empty without an identity."""
        if not self.identity:
            return ""
        import hashlib

        return hashlib.sha256(f"{self.identity}\n{parent_run_id}\n{number}".encode()).hexdigest()[:32]


def job_of(environ: Mapping[str, str]) -> Job | None:
    """The job; None for a process that is alone."""
    for rank_name, size_name in _LAUNCHERS:
        rank, size = environ.get(rank_name, ""), environ.get(size_name, "")
        if rank.isdecimal() and size.isdecimal() and int(size) > 1:
            return Job(int(rank), _identity(environ, rank_name, size))
    return None


def _identity(environ: Mapping[str, str], rank_name: str, size: str) -> str:
    job = environ.get("SLURM_JOB_ID", "")
    parts = [f"slurm {environ.get('SLURM_CLUSTER_NAME', '')} {job}"] if job else []
    if rank_name == "SLURM_PROCID":
        parts.append(f"step {environ.get('SLURM_STEP_ID', '')}")
    elif rank_name == "RANK":
        parts += _of_torchrun(environ, size)
    return "\n".join(parts) if job or rank_name == "RANK" else ""


def _of_torchrun(environ: Mapping[str, str], size: str) -> list[str]:
    run = environ.get("TORCHELASTIC_RUN_ID", "")
    # "none" is what it is called where nobody named it.
    if run not in ("", "none"):
        return [f"torchelastic {run}"]
    if run and environ.get("LOCAL_WORLD_SIZE") == size:
        return [f"launcher {_process(os.getppid())}"]
    return []


def _process(pid: int) -> str:
    """A process as no other one was or will be."""
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {pid} {started}"
