"""What launchers say of a job, as they say it."""

import os

import pytest

from trackwire.fluent.jobs import job_of

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "8", "TORCHELASTIC_RUN_ID": "none"}
SRUN = {"SLURM_PROCID": "3", "SLURM_NTASKS": "16", "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"}


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        (TORCHRUN, 5),
        (SRUN, 3),
        ({**SRUN, **TORCHRUN}, 5),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, 1),
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


def id_of(environ: dict[str, str], parent: str = "", number: int = 1) -> str:
    job = job_of(environ)
    assert job is not None
    return job.run_id(parent, number)


@pytest.mark.parametrize("environ", [TORCHRUN, SRUN, {**TORCHRUN, "TORCHELASTIC_RUN_ID": "mine"}])
def test_ranks_of_a_job_agree_on_each_run_and_on_no_other(environ: dict[str, str]) -> None:
    name = "RANK" if "RANK" in environ else "SLURM_PROCID"
    assert len({id_of({**environ, name: str(rank)}) for rank in range(8)}) == 1
    assert len({id_of(environ), id_of(environ, number=2), id_of(environ, "parent")}) == 3


def test_another_job_has_other_runs() -> None:
    step = {**SRUN, "SLURM_STEP_ID": "1"}
    job = {**SRUN, "SLURM_JOB_ID": "78"}
    torchrun_in_slurm = {**TORCHRUN, "SLURM_JOB_ID": "77"}
    assert len({id_of(SRUN), id_of(step), id_of(job), id_of(torchrun_in_slurm), id_of(TORCHRUN)}) == 5


def test_address_and_port_of_a_job_say_nothing() -> None:
    many_nodes = {"RANK": "0", "WORLD_SIZE": "16", "MASTER_ADDR": "a", "MASTER_PORT": "29500"}
    assert id_of(many_nodes) == ""
    assert id_of({**many_nodes, "TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "8"}) == ""


def test_launcher_of_one_node_is_told_from_every_other_process() -> None:
    assert id_of(TORCHRUN)
    child, parent = os.pipe()
    if os.fork() == 0:
        os.write(parent, id_of(TORCHRUN).encode())
        os._exit(0)
    assert os.read(child, 64).decode() not in ("", id_of(TORCHRUN))
    os.wait()
