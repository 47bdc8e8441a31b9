"""What launchers say of a job, as they say it."""

import os

import pytest

from trackwire.fluent.jobs import NodeShare, job_of, node_share

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "8", "TORCHELASTIC_RUN_ID": "none"}
MANY_NODES = {"RANK": "5", "WORLD_SIZE": "16", "MASTER_ADDR": "a", "MASTER_PORT": "29500"}
MPIRUN = {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_NAMESPACE": "prterun-a-1@1"}
SRUN = {"SLURM_PROCID": "3", "SLURM_NTASKS": "16", "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"}


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        (TORCHRUN, 5),
        (SRUN, 3),
        ({**SRUN, **TORCHRUN}, 5),
        (MPIRUN, 1),
    ],
)
def test_rank_is_the_launchers(environ: dict[str, str], rank: int) -> None:
    job = job_of(environ)
    assert job is not None
    assert job.rank == rank


@pytest.mark.parametrize(
    "environ", [{}, {"RANK": "0", "WORLD_SIZE": "1"}, {"RANK": "x", "WORLD_SIZE": "2"}, {"SLURM_PROCID": "0"}]
)
def test_process_that_is_alone_has_no_job(environ: dict[str, str]) -> None:
    assert job_of(environ) is None


@pytest.mark.parametrize("rank", ["0", "3"])
def test_batch_script_is_none_of_its_tasks(rank: str) -> None:
    assert job_of({"SLURM_PROCID": rank, "SLURM_NTASKS": "4", "SLURM_JOB_ID": "77"}) is None


def id_of(environ: dict[str, str], parent: str = "", number: int = 1, program: tuple[str, ...] = ()) -> str:
    job = job_of(environ, program)
    assert job is not None
    return job.run_id(parent, number)


@pytest.mark.parametrize("environ", [TORCHRUN, SRUN, MPIRUN, {**SRUN, **MANY_NODES}])
def test_ranks_of_a_job_agree_on_each_run_and_on_no_other(environ: dict[str, str]) -> None:
    name = next(name for name in ("RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID") if name in environ)
    assert len({id_of({**environ, name: str(rank)}) for rank in range(8)}) == 1
    assert len({id_of(environ), id_of(environ, number=2), id_of(environ, "parent")}) == 3


def test_another_job_has_other_runs() -> None:
    step = {**SRUN, "SLURM_STEP_ID": "1"}
    job = {**SRUN, "SLURM_JOB_ID": "78"}
    mpirun = {**MPIRUN, "PMIX_NAMESPACE": "prterun-b-2@1"}
    found = {id_of(each) for each in (SRUN, step, job, TORCHRUN, MPIRUN, mpirun)}
    assert len(found - {""}) == 6


def test_programs_of_one_step_have_runs_of_their_own() -> None:
    ids = [id_of(SRUN, program=program) for program in (("a.py",), ("b.py",), ("b.py", "--lr", "1"))]
    assert len(set(ids)) == 3
    ranks = {id_of(SRUN, program=("a.py", f"--local-rank={rank}")) for rank in range(4)}
    assert ranks == {ids[0]}


@pytest.mark.parametrize(
    "environ",
    [
        MANY_NODES,
        {**MANY_NODES, "TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "8"},
        {**MANY_NODES, "TORCHELASTIC_RUN_ID": "456", "LOCAL_WORLD_SIZE": "8"},
        {**MANY_NODES, "SLURM_JOB_ID": "77"},
        {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "SLURM_JOB_ID": "77"},
    ],
)
def test_what_two_jobs_may_share_says_nothing(environ: dict[str, str]) -> None:
    assert id_of(environ) == ""


def test_launcher_of_one_node_is_told_from_every_other_process() -> None:
    assert id_of(TORCHRUN)
    child, parent = os.pipe()
    if os.fork() == 0:
        os.write(parent, id_of(TORCHRUN).encode())
        os._exit(0)
    assert os.read(child, 64).decode() not in ("", id_of(TORCHRUN))
    os.wait()


@pytest.mark.parametrize(
    ("environ", "share"),
    [
        ({}, NodeShare(machine=True, gpus=True)),
        ({"LOCAL_RANK": "1"}, NodeShare(machine=True, gpus=True)),
        (TORCHRUN, NodeShare(machine=True, gpus=True)),
        ({**TORCHRUN, "LOCAL_RANK": "0"}, NodeShare(machine=True, gpus=True)),
        ({**TORCHRUN, "LOCAL_RANK": "1"}, NodeShare(machine=False, gpus=False)),
        ({**SRUN, **TORCHRUN, "LOCAL_RANK": "1", "SLURM_GPUS_PER_TASK": "8"}, NodeShare(machine=False, gpus=False)),
        ({**MPIRUN, "OMPI_COMM_WORLD_LOCAL_RANK": "3"}, NodeShare(machine=False, gpus=False)),
        ({**SRUN, "SLURM_LOCALID": "1"}, NodeShare(machine=False, gpus=False)),
        ({**SRUN, "SLURM_LOCALID": "1", "SLURM_GPUS_PER_TASK": "1"}, NodeShare(machine=False, gpus=True)),
        ({**SRUN, "SLURM_LOCALID": "0", "SLURM_GPU_BIND": "single:1"}, NodeShare(machine=True, gpus=True)),
    ],
)
def test_first_rank_of_a_node_samples_it(environ: dict[str, str], share: NodeShare) -> None:
    assert node_share(environ, job_of(environ)) == share
