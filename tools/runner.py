#!/usr/bin/env python3
"""The reference runner: a program that executes inferences for dynasoc-agent. Copy it, and put your own network in.

    dynasoc-agent --runner mine=/usr/bin/python3,/home/me/runner.py[,ARGUMENT...]

starts it for every application that is loaded with executor `command` and command `mine` (no commas in arguments).
It is told one JSON object a line on standard input and answers each with one line on standard output, flushed:

    {"op": "load", "subnets": {"L1": {"supernetwork": ..., "width": ..., ...}}, "threads": 2, "seed": 1,
     "weights": PATH}
        -> {"ok": {"subnets": {"L1": {"build_ms": 12.3, "macs_m": 100.1, "parameters": 4595184}}, "memory_mb": 18.4,
                   "shared_weights": false}}        `weights` may be missing; null for what is not known
    {"op": "infer", "subnet": "L1", "repeat": 2}
        -> {"ok": {"start_ns": ..., "end_ns": ..., "latency_ms": [2.41, 2.39], "cpu_ms": 4.8}}
        times of CLOCK_MONOTONIC (time.monotonic_ns), taken around the inferences; `cpu_ms` is optional
    {"op": "quit"}, or the end of input: end.

What cannot be done is answered with {"error": {"message": "..."}}. Nothing else may be written to standard output (a
library that prints there would break the conversation: see `answers` below); standard error is free, and its last lines
are quoted if the runner crashes. The process is pinned to its CPUs already, and killed when the agent ends.

What it computes:
    --onnx NAME=FILE   sub-network NAME is the ONNX model FILE (needs onnxruntime); may be repeated
    --torch            sub-networks are built of inverted residual blocks after their widths, depths, kernels and
                       expansions, with random weights (needs torch)
    neither            a product of matrices, sized after the architecture: no network, but real work. With NumPy if it
                       is there; else in Python, a thousandth of it. `macs_m` says what is computed.
"""
import argparse
import json
import operator
import os
import random
import sys
import time

try:
    import numpy
except ImportError:
    numpy = None

SLOW = 1e-3  # of the operations, where there is no NumPy


def roughly_macs(config):
    """Of a mobile network of this width, resolution and depth: 600 million at 1, 224 and 20 blocks."""
    depth = sum(config.get("depths", [4] * 5)) / 20
    return 6e8 * config.get("width", 1) ** 2 * (config.get("resolution", 224) / 224) ** 2 * depth


class Product:
    """A x B, of random numbers."""

    def __init__(self, config, seed, threads):
        del threads  # as many as NumPy was built for; the process is pinned
        macs = roughly_macs(config) * (1 if numpy else SLOW)
        self.side = max(1, round(macs ** (1 / 3)))
        self.macs_m, self.parameters, self.memory_mb = self.side ** 3 / 1e6, None, None
        if numpy:
            generator = numpy.random.default_rng(seed)
            self.a, self.b = (generator.random((self.side, self.side), numpy.float32) for _ in range(2))
        else:
            generator = random.Random(seed)
            self.a, self.b = ([[generator.random() for _ in range(self.side)] for _ in range(self.side)]
                              for _ in range(2))

    def run(self):
        if numpy:
            return self.a @ self.b
        columns = list(zip(*self.b))
        return [[sum(map(operator.mul, row, column)) for column in columns] for row in self.a]


class Onnx:
    """An ONNX model on one random input."""

    def __init__(self, file, seed, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options, providers=onnxruntime.get_available_providers())
        generator = numpy.random.default_rng(seed)
        self.inputs = {}
        for one in self.session.get_inputs():
            if one.type != "tensor(float)":
                raise ValueError(f"{file}: input {one.name} is a {one.type}; this runner only knows tensor(float)")
            shape = [side if isinstance(side, int) else 1 for side in one.shape]
            self.inputs[one.name] = generator.random(shape, numpy.float32)
        self.macs_m, self.parameters, self.memory_mb = None, None, os.path.getsize(file) / 1e6

    def run(self):
        return self.session.run(None, self.inputs)


class Torch:
    """Inverted residual blocks as the architecture says, without squeeze-and-excitation: an example of a network."""

    def __init__(self, config, seed, threads):
        import torch
        self.torch = torch
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.macs_m = self.parameters = 0
        self.side = config.get("resolution", 224)
        self.input = torch.rand(1, 3, self.side, self.side)
        width = config.get("width", 1)
        depths = config.get("depths", [4] * 5)
        kernels, expansions = config.get("kernels", [3] * 20), config.get("expansions", [4] * 20)
        channels = round(16 * width)
        layers = self._convolution(3, channels, 3, 2)
        for stage, (wide, stride) in enumerate(zip((24, 40, 80, 112, 160), (2, 2, 2, 1, 2))):
            for block in range(depths[stage]):
                kernel, wider = kernels[4 * stage + block], channels * expansions[4 * stage + block]
                layers += self._convolution(channels, wider, 1)
                layers += self._convolution(wider, wider, kernel, stride if block == 0 else 1, wider)
                channels_out = round(wide * width)
                layers += self._convolution(wider, channels_out, 1)[:-1]
                channels = channels_out
        layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, 1000)]
        self.macs_m += channels * 1000 / 1e6
        self.network = torch.nn.Sequential(*layers).eval()
        self.parameters = sum(one.numel() for one in self.network.parameters())
        self.memory_mb = self.parameters * 4 / 1e6

    def _convolution(self, inputs, outputs, kernel, stride=1, groups=1):
        nn = self.torch.nn
        self.side = (self.side + stride - 1) // stride
        self.macs_m += inputs * outputs // groups * kernel ** 2 * self.side ** 2 / 1e6
        return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups), nn.Hardswish()]

    def run(self):
        with self.torch.inference_mode():
            return self.network(self.input)


class Runner:
    """Answers the agent's requests."""

    def __init__(self, options):
        self.models = dict(entry.split("=", 1) for entry in options.onnx)
        self.torch = options.torch
        self.subnets = {}

    def build(self, name, config, seed, threads):
        if self.models:
            if name not in self.models:
                raise ValueError(f"no --onnx {name}=FILE was given")
            return Onnx(self.models[name], seed, threads)
        return (Torch if self.torch else Product)(config, seed, threads)

    def load(self, request):
        if request.get("weights"):
            raise ValueError("this runner reads no weights")  # rather than to run without what was asked for
        told = {}
        for name, config in request["subnets"].items():
            begin_ns = time.monotonic_ns()
            subnet = self.subnets[name] = self.build(name, config, request.get("seed", 1), request.get("threads", 1))
            told[name] = {"build_ms": (time.monotonic_ns() - begin_ns) / 1e6, "macs_m": subnet.macs_m,
                          "parameters": subnet.parameters}
        sizes = [subnet.memory_mb for subnet in self.subnets.values()]
        return {"subnets": told, "memory_mb": None if None in sizes else sum(sizes), "shared_weights": False}

    def infer(self, request):
        subnet = self.subnets.get(request["subnet"])
        if subnet is None:
            raise ValueError(f"no sub-network {request['subnet']} is loaded")
        latency_ns = []
        cpu_ns, start_ns = time.process_time_ns(), time.monotonic_ns()
        for _ in range(request.get("repeat", 1)):
            begin_ns = time.monotonic_ns()
            subnet.run()
            latency_ns.append(time.monotonic_ns() - begin_ns)
        end_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns() - cpu_ns
        return {"start_ns": start_ns, "end_ns": end_ns, "latency_ms": [ns / 1e6 for ns in latency_ns],
                "cpu_ms": cpu_ns / 1e6}

    def answer(self, request):
        if request["op"] == "load":
            return self.load(request)
        if request["op"] == "infer":
            return self.infer(request)
        raise ValueError(f"unknown operation {request['op']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--torch", action="store_true")
    options = parser.parse_args()
    if any("=" not in entry for entry in options.onnx):
        parser.error("--onnx must be NAME=FILE")
    runner = Runner(options)

    # Answers have a file of their own; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request["op"] == "quit":
                break
            said = {"ok": runner.answer(request)}
        except Exception as problem:  # whatever a library throws: the agent is told, and asks on
            said = {"error": {"message": f"{type(problem).__name__}: {problem}".replace("\n", " ")}}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
