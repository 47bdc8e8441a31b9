"""Starts a server, trains four networks at once, and shows what is stored."""

import os
import secrets
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from examples.digits import interrupts, options, pages, report
from examples.digits.network import Digits
from examples.digits.server_process import RunningServer, ServerNotStartedError, running_server
from examples.digits.training import Settings, Trained
from examples.digits.workers import Job, WorkerFailedError, train_all
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trackwire import Client, TrackwireError
from trackwire.v1.runs_pb2 import Run

LEARNING_RATES = (0.003, 0.03, 0.3, 1.0)
EXIT_INTERRUPTED = 130


def main() -> int:
    """Runs it all; the exit status."""
    arguments = options.parser().parse_args()
    interrupts.listen()
    console = Console(soft_wrap=not sys.stdout.isatty())
    started = time.monotonic()
    try:
        data_dir = Path(os.environ.get("TRACKWIRE_DATA_DIR") or options.DATA_DIR)
        with running_server(data_dir, arguments.port) as server:
            where = "started" if server.is_ours else "was running already"
            console.print(f"[bold]Server[/bold]  {server.address}, pid {server.pid}, {where}", highlight=False)
            found = pages.find_pages(server)
            pages.print_pages(console, found)
            best = _train_and_report(console, server, data_dir, arguments.epochs)
            server.is_kept = arguments.keep
        _print_farewell(console, server, best, data_dir, time.monotonic() - started)
        if found is not None:
            pages.print_address_of_runs(console, found, best.experiment_id)
    except KeyboardInterrupt:
        console.print("\ninterrupted; nothing is left running that was started here")
        return EXIT_INTERRUPTED
    except (ServerNotStartedError, WorkerFailedError, report.StoredOtherwiseError, TrackwireError, OSError) as error:
        console.print(f"\nquickstart: {error}", style="red", markup=False, highlight=False)
        return 1
    return 0


def _train_and_report(console: Console, server: RunningServer, data_dir: Path, epochs: int) -> Run:
    """The best run."""
    digits = Digits.load()
    session = secrets.token_hex(4)
    settings = [Settings(learning_rate, epochs) for learning_rate in LEARNING_RATES]
    trained = _train(console, Job(server.address, data_dir / "spool", session, digits), settings)
    with Client(server.address) as client:
        filter_string, runs = report.ranked_runs(client, session)
        added = report.register_best(client, runs[0])
        report.print_runs(console, filter_string, runs)
        report.print_points(console, client, runs, trained)
        report.print_lineage(console, client, digits, added)
    return runs[0]


def _train(console: Console, job: Job, settings: Sequence[Settings]) -> list[Trained]:
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"))
    scans = len(job.digits.train_labels) + len(job.digits.validation_labels)
    console.print(f"[bold]Training[/bold]  {len(settings)} networks on {scans:,} scans of digits", highlight=False)
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        tasks = [progress.add_task(f"learning rate {each.learning_rate:g}", total=each.epochs) for each in settings]
        return train_all(job, settings, lambda worker, epochs: progress.update(tasks[worker], completed=epochs))


def _print_farewell(console: Console, server: RunningServer, best: Run, data_dir: Path, seconds: float) -> None:
    console.print(f"\nDone in {seconds:.0f} s. ", end="", highlight=False)
    if not server.is_ours:
        console.print("The server goes on, as it was found. Try:")
    elif server.is_kept:
        console.print(f"The server goes on at {server.address}; `kill {server.pid}` stops it. Try:", highlight=False)
    else:
        start = _start_command(server, data_dir)
        console.print(f"The server is stopped; all is kept. Start it again with `{start}`, then try:", highlight=False)
    report.print_next_steps(console, server.address, best.run_id)


def _start_command(server: RunningServer, data_dir: Path) -> str:
    command = [".venv/bin/trackwire", "server"]
    if data_dir != Path(options.DATA_DIR):
        command += ["--data-dir", str(data_dir)]
    port = server.address.rpartition(":")[2]
    if port != str(options.DEFAULT_PORT):
        command += ["--port", port]
    http_port = server.url.rpartition(":")[2]
    if http_port not in ("", str(options.DEFAULT_HTTP_PORT)):
        command += ["--http-port", http_port]
    return shlex.join(command)


if __name__ == "__main__":
    sys.exit(main())
