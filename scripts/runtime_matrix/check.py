"""Check one ONNX Runtime against the models of matrix_models.py; print the result as JSON.

    python check.py FOLDER [LIBRARY]

Needs onnxruntime and numpy and nothing else, sr_ops included. With LIBRARY, the library's kernels
must run and give the expected bits, and from ONNX Runtime 1.24 on its execution provider must take
the standard Resize of each model and give them, too; always, the models' own functions must run
without it and come close. Which of them ran is read from the runtime's profile.
"""

import contextlib
import json
import platform
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

PROVIDER = "SrOpsExecutionProvider"
VERSION = tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])


class Matrix:
    """Runs the checks and collects what failed."""

    def __init__(self, folder, library):
        self.folder = Path(folder)
        self.library = library
        self.cases = json.loads((self.folder / "manifest.json").read_text())
        self.failures = {}
        self.passed = 0

    def run(self):
        """Everything; returns the report."""
        for case in self.cases:
            self.check(f"function: {case['name']}", lambda case=case: self.function(case))
        if self.library and self.is_old():
            self.check("an old runtime is refused", self.refusal)
        elif self.library:
            for case in self.cases:
                self.check(f"library: {case['name']}", lambda case=case: self.kernel(case))
            self.check("every optimisation level", self.optimisation_levels)
            self.check("registered twice", self.registered_twice)
            self.check("sixteen threads", self.sixteen_threads)
            self.check("bad scales", self.bad_scales)
            self.check("bad type of scales", self.bad_type_of_scales)
        if self.library:
            self.check_provider()
        return {
            "onnxruntime": onnxruntime.__version__,
            "with": f"Python {platform.python_version()}, numpy {np.__version__}",
            "no_library": "refused, as it should be" if self.is_old() else "",
            "no_provider": self.no_provider(),
            "passed": self.passed,
            "failures": self.failures,
        }

    def check(self, name, body):
        """Run one check; remember its failure."""
        try:
            body()
        except Exception as error:  # a report, whatever went wrong
            self.failures[name] = f"{type(error).__name__}: {error}"
        else:
            self.passed += 1

    def is_old(self):
        """Whether the library refuses this runtime."""
        return VERSION < (1, 17)

    @staticmethod
    def no_provider():
        """Why this runtime does without the execution provider; empty: it does not."""
        if VERSION >= (1, 24):
            return ""
        known = hasattr(onnxruntime, "register_execution_provider_library")
        return "refused, as it should be" if known else "not for it"

    def check_provider(self):
        """Every case by a standard Resize; where the runtime is too old, a message."""
        if VERSION < (1, 24):
            if self.no_provider() != "not for it":
                self.check("provider: an older runtime is refused", self.provider_refusal)
            return
        onnxruntime.register_execution_provider_library(PROVIDER, self.library)
        for case in self.cases:
            self.check(f"provider: {case['name']}", lambda case=case: self.provider(case))
        self.check("provider: brings the operators", self.provider_brings_operators)
        self.check("provider: sixteen threads", self.provider_threads)
        self.check("provider: bad scales", self.provider_bad_scales)
        if VERSION >= (1, 25):
            self.check("provider: by its name", self.provider_by_name)

    def provider_options(self):
        """As every release from 1.24 on takes it."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        devices = [d for d in onnxruntime.get_ep_devices() if d.ep_name == PROVIDER]
        options.add_provider_for_devices(devices, {})
        return options

    def resize_session(self, case, options, **keywords):
        """A session of a case's model with the standard Resize."""
        path = str(self.folder / f"{case['name']}-resize.onnx")
        return onnxruntime.InferenceSession(path, options, **keywords)

    def provider(self, case, options=None, **keywords):
        """The provider took every Resize, and gave the expected bits."""
        feed, expected = self.arrays(case)
        options = options or self.provider_options()
        with tempfile.TemporaryDirectory() as folder:
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self.resize_session(case, options, **keywords)
            (result,) = session.run(None, feed)
            events = json.loads(Path(session.end_profiling()).read_text())
        nodes = [e["args"] for e in events if "op_name" in e.get("args", {})]
        who = {n["provider"] for n in nodes if n["op_name"] == "Resize" and "provider" in n}
        assert who == {PROVIDER}, f"Resize ran in {who}"
        assert result.dtype == expected.dtype, f"{result.dtype} instead of {expected.dtype}"
        assert np.array_equal(result, expected), f"off by {np.abs(result - expected).max()}"

    def provider_by_name(self):
        """As in providers=[...]."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        providers = [PROVIDER, "CPUExecutionProvider"]
        self.provider(self.cases[0], options, providers=providers)

    def provider_brings_operators(self):
        """The custom operators, without registering them."""
        feed, expected = self.arrays(self.cases[0])
        path = str(self.folder / f"{self.cases[0]['name']}.onnx")
        session = onnxruntime.InferenceSession(path, self.provider_options())
        assert np.array_equal(session.run(None, feed)[0], expected)

    def provider_threads(self):
        """Each with sessions of its own."""
        feed, expected = self.arrays(self.cases[0])

        def run(_):
            session = self.resize_session(self.cases[0], self.provider_options())
            return session.run(None, feed)[0]

        with ThreadPoolExecutor(16) as pool:
            for result in pool.map(run, range(32)):
                assert np.array_equal(result, expected)

    def provider_bad_scales(self):
        """A typed error, and the session goes on."""
        case = next(c for c in self.cases if c["name"] == "DynamicUpscale-float32-rank4")
        session = self.resize_session(case, self.provider_options())
        feed, expected = self.arrays(case)
        for scales in ([1, 1, 0, 2], [1, 1, np.nan, 2], [2, 2, 3, 3], [1, 1, 1e6, 1e6], [2, 2]):
            self.refused(session, {**feed, "scales": np.array(scales, np.float32)})
        assert np.array_equal(session.run(None, feed)[0], expected)

    def provider_refusal(self):
        """An error that names the version that is needed; the process lives."""
        try:
            onnxruntime.register_execution_provider_library(PROVIDER, self.library)
        except Exception as error:  # the runtime's exceptions have no other common base
            assert "1.24 or newer" in str(error), repr(error)
        else:
            raise AssertionError("the provider was accepted")

    def arrays(self, case):
        """What to feed, and what to expect."""
        with np.load(self.folder / f"{case['name']}.npz") as data:
            feed = {name: data[name] for name in data.files}
        return feed, feed.pop("expected")

    def options(self, *, library=True):
        """Quiet session options, with the library or without."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        if library:
            options.register_custom_ops_library(self.library)
        return options

    def session(self, case, options):
        """A session of a case's model."""
        path = str(self.folder / f"{case['name']}.onnx")
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def profiled(self, case, options):
        """The result of a case, and the operators that ran."""
        feed, expected = self.arrays(case)
        with tempfile.TemporaryDirectory() as folder:
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self.session(case, options)
            (result,) = session.run(None, feed)
            events = json.loads(Path(session.end_profiling()).read_text())
        operators = {e["args"]["op_name"] for e in events if "op_name" in e.get("args", {})}
        assert result.shape == expected.shape, f"{result.shape} instead of {expected.shape}"
        assert result.dtype == expected.dtype, f"{result.dtype} instead of {expected.dtype}"
        return result, expected, operators

    def kernel(self, case, options=None):
        """The kernel ran, and gave the expected bits."""
        result, expected, operators = self.profiled(case, options or self.options())
        assert case["op"] in operators, f"ran {operators}"
        assert "Resize" not in operators, f"ran {operators}"
        assert np.array_equal(result, expected), f"off by {np.abs(result - expected).max()}"

    def function(self, case):
        """Without the library the function ran, and came close."""
        result, expected, operators = self.profiled(case, self.options(library=False))
        assert operators & {"Resize", "MatMul"}, f"ran {operators}"
        assert case["op"] not in operators, f"ran {operators}"
        difference = np.abs(result.astype(np.float64) - expected.astype(np.float64)).max()
        assert difference <= case["tolerance"], f"off by {difference}"

    def optimisation_levels(self):
        """The kernel wins over the function at each of them."""
        levels = onnxruntime.GraphOptimizationLevel
        for level in (
            levels.ORT_DISABLE_ALL,
            levels.ORT_ENABLE_BASIC,
            levels.ORT_ENABLE_EXTENDED,
            levels.ORT_ENABLE_ALL,
        ):
            options = self.options()
            options.graph_optimization_level = level
            self.kernel(self.cases[0], options)

    def registered_twice(self):
        """In one set of options, which then serve two sessions."""
        options = self.options()
        options.register_custom_ops_library(self.library)
        feed, expected = self.arrays(self.cases[0])
        for session in [self.session(self.cases[0], options) for _ in range(2)]:
            assert np.array_equal(session.run(None, feed)[0], expected)

    def sixteen_threads(self):
        """Each with sessions of its own."""
        feed, expected = self.arrays(self.cases[0])

        def run(_):
            return self.session(self.cases[0], self.options()).run(None, feed)[0]

        with ThreadPoolExecutor(16) as pool:
            for result in pool.map(run, range(32)):
                assert np.array_equal(result, expected)

    def bad_scales(self):
        """A typed error, and the session goes on."""
        case = next(c for c in self.cases if c["name"] == "DynamicUpscale-float32-rank4")
        session = self.session(case, self.options())
        feed, expected = self.arrays(case)
        for scales in ([1, 1, 0, 2], [1, 1, np.nan, 2], [2, 1, 3, 3], [1, 1, 1e6, 1e6]):
            self.refused(session, {**feed, "scales": np.array(scales, np.float32)})
        assert np.array_equal(session.run(None, feed)[0], expected)

    def bad_type_of_scales(self):
        """The runtime refuses what the operator does not declare."""
        case = next(c for c in self.cases if c["name"] == "DynamicUpscale-float32-rank4")
        feed, _ = self.arrays(case)
        feed["scales"] = feed["scales"].astype(np.int64)
        self.refused(self.session(case, self.options()), feed)

    @staticmethod
    def refused(session, feed):
        """Running must fail with an error of the runtime's own."""
        try:
            session.run(None, feed)
        except Exception as error:  # the runtime's exceptions have no other common base
            assert "InvalidArgument" in type(error).__name__, repr(error)
        else:
            raise AssertionError(f"accepted {feed['scales']}")

    def refusal(self):
        """An error that names the version that is needed; the process lives."""
        with contextlib.suppress(AttributeError):
            onnxruntime.set_default_logger_severity(4)
        try:
            self.options()
        except Exception as error:  # as above
            assert "1.17 or newer" in str(error), repr(error)
        else:
            raise AssertionError("the library was accepted")


if __name__ == "__main__":
    report = Matrix(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None).run()
    print(json.dumps(report))
    sys.exit(1 if report["failures"] else 0)
