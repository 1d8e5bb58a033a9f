"""Takes one model through every step of ezkl, measuring each.

`run` is the whole flow. It reports after every step through a callback, so that a
supervisor that has to stop it still knows how far it came. Times are wall time and,
as ezkl works on files, include reading and writing the files of the step.
"""

import inspect
import json
import time
from pathlib import Path

import ezkl
import numpy as np
import onnx


class Meter:
    """Times steps and tells `publish` what is known before and after each."""

    def __init__(self, report, publish):
        self.report, self.publish = report, publish
        report.update(steps_s={}, step_peak_memory_bytes={})

    async def step(self, name, function, *args, **kwargs):
        """Runs one step; ezkl returns awaitables from some functions."""
        self.report["stage"] = name
        self.publish(self.report)
        reset_peak_memory()
        start = time.perf_counter()
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            result = await result
        elapsed = time.perf_counter() - start
        self.report["steps_s"].setdefault(name, []).append(elapsed)
        peaks = self.report["step_peak_memory_bytes"]
        peaks[name] = max(peaks.get(name, 0), peak_memory_bytes())
        self.publish(self.report)
        if result is False:
            raise RuntimeError(f"{name} returned false")
        return result


def reset_peak_memory():
    """Makes the kernel forget the highest resident size so far.

    Some sandboxes forbid it; a step's peak is then the highest since the start.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory_bytes():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel reports no peak memory")


def fix_batch(source, target):
    """Copies the model with its batch dimension, the first of each tensor, set to 1;
    returns the names of its inputs."""
    model = onnx.load(str(source))
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    for value in [*inputs, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(target))
    return [value.name for value in inputs]


def read_samples(path, inputs):
    """For each input its samples, and what the file holds besides. An archive holds them
    by name, or as `inputs` if there is one; JSON holds one sample, a list for each."""
    if Path(path).suffix == ".json":
        lists = json.loads(Path(path).read_text())["input_data"]
        return [np.array([values]) for values in lists], {}
    archive = np.load(path)
    names = ["inputs"] if len(inputs) == 1 and "inputs" in archive else inputs
    return [archive[name] for name in names], archive


def write_samples(samples, target):
    """ezkl's input form: one flat list for each input of the model."""
    values = [np.asarray(values, np.float64).ravel().tolist() for values in samples]
    target.write_text(json.dumps({"input_data": values}))


def run_arguments():
    """The input is hidden, the weights are part of the circuit, the output is shown."""
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = "private"
    arguments.param_visibility = "fixed"
    arguments.output_visibility = "public"
    return arguments


def settings_summary(path):
    settings = json.loads(path.read_text())
    arguments = settings["run_args"]
    return {
        "logrows": arguments["logrows"],
        "rows": settings.get("num_rows"),
        "assignments": settings.get("total_assignments"),
        "input_scale": arguments["input_scale"],
        "param_scale": arguments["param_scale"],
        "scale_rebase_multiplier": arguments["scale_rebase_multiplier"],
        "lookup_range": arguments["lookup_range"],
    }


def proof_summary(path):
    """Sizes of the proof itself and of the file, which is JSON, and what it shows."""
    proof = json.loads(path.read_text())
    raw = proof["proof"]
    size = len(raw) if isinstance(raw, list) else len(raw.removeprefix("0x")) // 2
    shown = proof["pretty_public_inputs"]["rescaled_outputs"]
    outputs = [float(v) for group in shown for v in group]
    return {"proof_bytes": size, "proof_file_bytes": path.stat().st_size}, outputs


def compare(proved, reference):
    """How far the proved output is from the float model's. The last axis holds classes."""
    proved = np.asarray(proved)
    reference = np.asarray(reference, np.float64)
    if proved.size != reference.size:
        raise RuntimeError(f"{proved.size} outputs were proved of {reference.size}")
    proved = proved.reshape(reference.shape)
    agrees = proved.argmax(-1) == reference.argmax(-1)
    return {
        "float_output": reference.ravel().tolist(),
        "max_abs_error": float(np.abs(proved - reference).max()),
        # A single output has no largest one among several to agree on.
        "top1_agreement": float(np.mean(agrees)) if reference.shape[-1] > 1 else None,
        "top1_places": int(np.size(agrees)),
    }


async def run(options, publish):
    """Runs every step and returns the finished report."""
    work = Path(options.work)
    report = {"ezkl_version": ezkl.__version__}
    meter = Meter(report, publish)
    model, circuit = work / "model.onnx", work / "model.compiled"
    data, calibration = work / "input.json", work / "calibration.json"
    settings, srs = work / "settings.json", work / "local.srs"
    vk, pk = work / "verification.key", work / "proving.key"
    witness, proof = work / "witness.json", work / "proof.json"

    report["stage"] = "prepare"
    publish(report)
    inputs = fix_batch(options.model, model)
    samples, archive = read_samples(options.input, inputs)
    sample = [values[:1] for values in samples]
    write_samples(sample, data)
    calibration_inputs = sample
    if options.calibration:
        samples, _ = read_samples(options.calibration, inputs)
        calibration_inputs = [values[:options.calibration_samples] for values in samples]
    write_samples(calibration_inputs, calibration)
    report["calibration_samples"] = len(calibration_inputs[0])

    await meter.step("gen_settings", ezkl.gen_settings, str(model), str(settings),
                     py_run_args=run_arguments())
    await meter.step("calibrate_settings", ezkl.calibrate_settings, str(calibration),
                     str(model), str(settings), "resources")
    report.update(settings_summary(settings))
    await meter.step("compile_circuit", ezkl.compile_circuit, str(model), str(circuit),
                     str(settings))
    # A reference string made here is not secure, but costs and sizes are the same as
    # with one from a ceremony, and it needs no network.
    await meter.step("gen_srs", ezkl.gen_srs, str(srs), report["logrows"])
    await meter.step("setup", ezkl.setup, str(circuit), str(vk), str(pk), str(srs))
    report["verification_key_bytes"] = vk.stat().st_size
    report["proving_key_bytes"] = pk.stat().st_size
    report["srs_bytes"] = srs.stat().st_size

    for _ in range(options.repeat):
        await meter.step("gen_witness", ezkl.gen_witness, str(data), str(circuit),
                         str(witness))
        await meter.step("prove", ezkl.prove, str(witness), str(circuit), str(pk),
                         str(proof), str(srs))
        await meter.step("verify", ezkl.verify, str(proof), str(settings), str(vk),
                         str(srs))
        sizes, proved = proof_summary(proof)
        report.update(sizes, proved_output=proved)
        if "outputs" in archive:
            report.update(compare(proved, archive["outputs"][0]))
    report["stage"] = "done"
    return report
