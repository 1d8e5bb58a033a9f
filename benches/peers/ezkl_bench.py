"""Measures ezkl on one model and one input, and writes one JSON object.

    python ezkl_bench.py --model M.onnx --input I.npz --work DIR --repeat 3 \
        --timeout 600 --json OUT.json

The flow runs in a child process, which is stopped when its time is up or when it holds
more memory than allowed. The report then says so, with what was measured until there:
`status` is "ok", "timeout", "memory" or "failed", `stage` is the step it was in and
`message` says why. The exit status is 0 whenever a report was written.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

POLL_S = 0.2
TAIL_CHARS = 2000


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="ONNX model")
    parser.add_argument("--input", required=True,
                        help="npz with an array for each input, or `inputs`, whose first "
                        "sample is proved and compared with the first of `outputs`, if "
                        "it has any; or JSON, `input_data` being a list for each input")
    parser.add_argument("--calibration", help="samples in the same form that "
                        "calibrate the circuit; without it the proved sample does")
    parser.add_argument("--calibration-samples", type=int, default=20,
                        help="how many of them, at most (default 20)")
    parser.add_argument("--work", required=True, help="folder for keys and proofs; made "
                        "if missing, files of an earlier run are overwritten")
    parser.add_argument("--repeat", type=int, default=1, help="proofs to make")
    parser.add_argument("--timeout", type=float, default=600, help="seconds, in all")
    parser.add_argument("--memory-gib", type=float, default=10,
                        help="resident memory allowed (default 10)")
    parser.add_argument("--json", required=True, help="where the report goes")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.repeat < 1 or options.calibration_samples < 1:
        parser.error("counts must be at least 1")
    return options


def write_json(path, value):
    """Replaces the file at once, so that a reader never sees half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1) + "\n")
    part.replace(path)


def child(options):
    """Runs the flow; progress and result go to a file in the work folder."""
    progress = Path(options.work) / "progress.json"
    last = {"stage": "import"}

    def publish(report):
        last.clear()
        last.update(report)
        write_json(progress, report)

    try:
        import ezkl_flow  # here, so that a failing import is reported like any step
        report = asyncio.run(ezkl_flow.run(options, publish))
        write_json(progress, {**report, "status": "ok", "message": None})
    except BaseException as error:  # a panic inside ezkl is not an Exception
        message = f"{type(error).__name__}: {error}"
        write_json(progress, {**last, "status": "failed", "message": message})


def resident_bytes(pid):
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def supervise(process, options):
    """Waits for the child; returns the highest memory seen and why to stop it, if so."""
    deadline = time.monotonic() + options.timeout
    limit = options.memory_gib * 2**30
    highest = 0
    while process.poll() is None:
        resident = resident_bytes(process.pid)
        highest = max(highest, resident)
        stopped = None
        if resident > limit:
            stopped = ("memory", f"held {resident} bytes, over {options.memory_gib} GiB")
        elif time.monotonic() > deadline:
            stopped = ("timeout", f"not done after {options.timeout} seconds")
        if stopped:
            return highest, stopped
        time.sleep(POLL_S)
    return highest, None


def summary(steps):
    """The median of each repeated step and what a first proof costs to prepare."""
    def median(values):
        values = sorted(values)
        middle = len(values) // 2
        return values[middle] if len(values) % 2 else sum(values[middle - 1:middle + 1]) / 2

    medians = {name: median(values) for name, values in steps.items()}
    result = {f"{name}_s": medians.get(name) for name in
              ("setup", "gen_witness", "prove", "verify")}
    preparation = ("gen_settings", "calibrate_settings", "compile_circuit", "setup")
    if all(name in medians for name in preparation):
        result["preparation_s"] = sum(medians[name] for name in preparation)
    return result


def main(arguments):
    options = parse(arguments)
    if options.child:
        child(options)
        return
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    progress, log = work / "progress.json", work / "child.log"
    progress.unlink(missing_ok=True)
    start = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), *arguments, "--child"],
            stdout=output, stderr=subprocess.STDOUT,
            # Keeps anything ezkl stores between runs inside the work folder.
            env={**os.environ, "EZKL_REPO_PATH": str(work.resolve())})
        try:
            highest, stopped = supervise(process, options)
        finally:
            process.kill()  # does nothing to a process that has ended
            process.wait()
    report = json.loads(progress.read_text()) if progress.exists() else {"stage": "start"}
    if stopped:
        report["status"], report["message"] = stopped
    elif "status" not in report:
        tail = log.read_text(errors="replace")[-TAIL_CHARS:]
        report["status"] = "failed"
        report["message"] = f"the process ended with {process.returncode}: {tail}"
    report["peak_memory_bytes"] = max(
        highest, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        *report.get("step_peak_memory_bytes", {}).values())
    report.update(
        peer="ezkl", model=Path(options.model).name, repeat=options.repeat,
        threads=int(os.environ.get("RAYON_NUM_THREADS") or len(os.sched_getaffinity(0))),
        timeout_s=options.timeout, memory_limit_gib=options.memory_gib,
        total_s=time.monotonic() - start, summary=summary(report.get("steps_s", {})))
    target = Path(options.json)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_json(target, report)


if __name__ == "__main__":
    main(sys.argv[1:])
