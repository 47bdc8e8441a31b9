"""What the trainings do whose logging is measured: scripts, which find in their arguments how much of it."""

CALL = """
import sys, time, trackwire
now = time.perf_counter_ns
def percentiles(call):
    taken = []
    for step in range(CALLS):
        begun = now(); call(step); taken.append(now() - begun)
        if step % 1000 == 0: time.sleep(0.002)
    taken.sort()
    return taken[CALLS // 2] / 1e3, taken[CALLS * 99 // 100] / 1e3
CALLS = int(sys.argv[1])
bare = []
ten = {f"metric/{key}": 0.5 for key in range(10)}
with trackwire.start_run():
    trackwire.log_metric("warm", 1.0); trackwire.log_metrics(ten)
    results = [percentiles(bare.append), percentiles(lambda step: trackwire.log_metric("loss", 0.5, step)),
               percentiles(lambda step: trackwire.log_metrics(ten, step))]
print(results)
"""

FLAT_OUT = """
import sys, time, trackwire
steps = int(sys.argv[2])
keys = [f"metric/{key}" for key in range(100)]
with trackwire.start_run(run_id=sys.argv[1]) as run:
    trackwire.log_metric("warm", 1.0, 0)
    assert run.flush(60)
    print("ready", flush=True); sys.stdin.readline()
    for step in range(steps):
        trackwire.log_metrics({key: step + at * 1e-3 for at, key in enumerate(keys)}, step)
        # A training does something between two steps; the disk is allowed to keep up.
        if step % 500 == 499: time.sleep(0)
    assert run.flush(300)
    print(time.time(), run._recorder.losses.points, flush=True); sys.stdin.readline()
"""

PRINT = """
import os, sys, time, trackwire
now = time.perf_counter_ns
def percentiles():
    taken = []
    for step in range(CALLS):
        begun = now(); print("step 1, loss 0.5"); taken.append(now() - begun)
        if step % 100 == 0: time.sleep(0.002)
    taken.sort()
    return taken[CALLS // 2] / 1e3, taken[CALLS * 99 // 100] / 1e3
CALLS = int(sys.argv[1])
terminal, sys.stdout = sys.stdout, open(os.devnull, "w")
bare = percentiles()
with trackwire.start_run(console=True):
    captured = percentiles()
sys.stdout = terminal
print([bare, captured])
"""

LOOP = """
import sys, time, numpy as np, trackwire
side = 100
while True:
    a = np.random.default_rng(0).random((side, side))
    times = []
    for _ in range(20):
        begun = time.perf_counter(); a @ a; times.append(time.perf_counter() - begun)
    if sorted(times)[10] >= 0.002: break
    side += 20
metrics = [f"metric/{key}" for key in range(20)]
STEPS = int(sys.argv[1])
def loop(log):
    begun = time.perf_counter()
    for step in range(STEPS):
        value = float((a @ a)[0, 0])
        if log: trackwire.log_metrics(dict.fromkeys(metrics, value), step)
    return time.perf_counter() - begun
with trackwire.start_run():
    trackwire.log_metric("warm", 1.0); time.sleep(0.5); loop(False)
    pairs = []
    # One as often before the other as behind it: a machine that is getting slower makes neither look so.
    for at in range(12):
        first, second = loop(at % 2), loop(not at % 2)
        pairs.append((second, first) if at % 2 else (first, second))
    print(pairs)
"""

START = """
import time; begun = time.perf_counter()
import trackwire
imported = time.perf_counter()
run = trackwire.start_run()
print([imported - begun, time.perf_counter() - imported])
"""

AWAY = """
import sys, time, trackwire
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
keys = [f"metric/{key}" for key in range(100)]
run = trackwire.start_run()
trackwire.log_metrics(dict.fromkeys(keys, 1.0), 0); run.flush(0.5)
before, most = resident(), 0
for step in range(int(sys.argv[1])):
    trackwire.log_metrics(dict.fromkeys(keys, float(step)), step)
    if step % 100 == 0: time.sleep(0.004)
    if step % 1000 == 0: most = max(most, resident())
print([most - before, run._recorder.losses.points])
import os; os._exit(0)
"""
