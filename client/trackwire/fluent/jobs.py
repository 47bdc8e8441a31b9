"""What a launcher says of the job that this process is one rank of: so that its ranks find each other in one run.

launcher                 rank, size                    what only this job has
torchrun, accelerate     RANK, WORLD_SIZE              the launcher's process on one node; on many, srun's step
srun                     SLURM_PROCID, SLURM_NTASKS    SLURM_JOB_ID, SLURM_STEP_ID and the program
Open MPI                 OMPI_COMM_WORLD_RANK, …_SIZE  PMIX_NAMESPACE or OMPI_MCA_ess_base_jobid

An address, a port and the name of a rendezvous say nothing: yesterday's job had the same, and two jobs in one run would
spoil both. Where a launcher gives nothing better, the user has to: TRACKWIRE_RUN_ID.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
)
# The rank among those of one machine.
_LOCAL_RANKS = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")


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


class NodeShare(NamedTuple):
    """Which figures of its machine a process samples, so that the ranks of one machine don't all sample the same."""

    machine: bool = True
    gpus: bool = True


def node_share(environ: Mapping[str, str], job: Job | None) -> NodeShare:
    """The first rank of a node samples the machine and all its GPUs. Where that can't be told, rather twice than never.

    Tasks that srun has given GPUs of their own see no others: then each samples its own.
    """
    if job is None:
        return NodeShare()
    name, local_rank = next(((name, environ[name]) for name in _LOCAL_RANKS if name in environ), ("", "0"))
    is_first = local_rank == "0"
    has_own_gpus = name == "SLURM_LOCALID" and ("SLURM_GPUS_PER_TASK" in environ or "SLURM_GPU_BIND" in environ)
    return NodeShare(machine=is_first, gpus=is_first or has_own_gpus)


def job_of(environ: Mapping[str, str], program: Sequence[str] = ()) -> Job | None:
    """The job; None for a process that is alone. `program` is its command line, by default none."""
    for rank_name, size_name in _LAUNCHERS:
        rank, size = environ.get(rank_name, ""), environ.get(size_name, "")
        if rank.isdecimal() and size.isdecimal() and int(size) > 1:
            if rank_name == "SLURM_PROCID" and "SLURM_STEP_ID" not in environ:
                # A batch script's own process: of the tasks there may be, it is none.
                return None
            return Job(int(rank), _IDENTITIES[rank_name](environ, program))
    return None


def _of_torchrun(environ: Mapping[str, str], _program: Sequence[str]) -> str:
    if "TORCHELASTIC_RUN_ID" in environ and environ.get("LOCAL_WORLD_SIZE") == environ["WORLD_SIZE"]:
        return f"launcher {_process(os.getppid())}"
    return _step(environ)


def _of_srun(environ: Mapping[str, str], program: Sequence[str]) -> str:
    step = _step(environ)
    # One step may run several programs; what tells only the rank apart is no part of one.
    return step and "\n".join([step, *(word for word in program if "rank" not in word)])


def _of_open_mpi(environ: Mapping[str, str], _program: Sequence[str]) -> str:
    return environ.get("PMIX_NAMESPACE", "") or environ.get("OMPI_MCA_ess_base_jobid", "")


def _step(environ: Mapping[str, str]) -> str:
    job, step = environ.get("SLURM_JOB_ID", ""), environ.get("SLURM_STEP_ID", "")
    return f"slurm {environ.get('SLURM_CLUSTER_NAME', '')} {job} {step}" if job and step else ""


_IDENTITIES = {"RANK": _of_torchrun, "OMPI_COMM_WORLD_RANK": _of_open_mpi, "SLURM_PROCID": _of_srun}


def _process(pid: int) -> str:
    """A process as no other one was or will be."""
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {pid} {started}"
