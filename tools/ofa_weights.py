#!/usr/bin/env python3
"""Memory and operations of Dynamic-OFA's sub-networks, from their architectures in models/*/network.json.

    tools/ofa_weights.py            prints memory_mb and macs_m of each
    tools/ofa_weights.py --check    ends with status 1 where a network.json says otherwise

The architecture is once-for-all's MobileNet v3 (Cai et al., Once-for-All, ICLR 2020): its widths, strides and
squeeze-and-excitation blocks below, scaled by the configuration's width. That it is the right one is seen by the
operations: they agree with all those published (macs_m) to every digit. memory_mb is the learned parameters in 32 bits,
batch normalisation's scale and shift included. Standard library only.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETWORKS = ("dynamic-ofa-gpu", "dynamic-ofa-gpu-nets7")
WIDTHS, STRIDES, SQUEEZE = (24, 40, 80, 112, 160), (2, 2, 2, 1, 2), (False, True, False, True, True)
BLOCKS = 4  # in a stage, at most


def divisible(x, by=8):
    """A number of channels: a multiple of 8 near x, not less than 0.9 x."""
    n = max(by, int(x + by / 2) // by * by)
    return n + by if n < 0.9 * x else n


def weigh(config):
    """Parameters and multiply-accumulates."""
    width, side = config["width"], (config["resolution"] + 1) // 2
    channels = divisible(16 * width)
    parameters, macs = 0, 0

    def convolution(inputs, outputs, kernel, groups=1, normalised=True):
        nonlocal parameters, macs
        weights = inputs // groups * outputs * kernel * kernel
        parameters += weights + (2 * outputs if normalised else 0)
        macs += weights * side * side

    convolution(3, channels, 3)
    convolution(channels, channels, 3, groups=channels)
    convolution(channels, channels, 1)
    for stage, stage_width in enumerate(WIDTHS):
        for block in range(config["depths"][stage]):
            at = BLOCKS * stage + block
            middle, outputs = divisible(round(channels * config["expansions"][at])), divisible(stage_width * width)
            convolution(channels, middle, 1)
            side = -(-side // (STRIDES[stage] if block == 0 else 1))
            convolution(middle, middle, config["kernels"][at], groups=middle)
            if SQUEEZE[stage]:
                reduced = divisible(middle // 4)
                parameters += 2 * middle * reduced + reduced + middle
                macs += 2 * middle * reduced
            convolution(middle, outputs, 1)
            channels = outputs
    final, last = divisible(960 * width), divisible(1280 * width)
    convolution(channels, final, 1)
    side = 1
    convolution(final, last, 1, normalised=False)
    convolution(last, 1000, 1, normalised=False)
    return parameters + 1000, macs


def main():
    wrong = 0
    for name in NETWORKS:
        path = ROOT / "models" / name / "network.json"
        for number, subnet in enumerate(json.loads(path.read_text(encoding="utf-8"))["subnets"], 1):
            parameters, macs = weigh(subnet["config"])
            memory_mb, macs_m = round(4e-6 * parameters, 3), round(1e-6 * macs, 4)
            print(f"{name} L{number}: memory_mb {memory_mb}, macs_m {macs_m}")
            for key, value in (("memory_mb", memory_mb), ("macs_m", macs_m)):
                if "--check" in sys.argv and not abs(subnet.get(key, 0) - value) < 6e-4:  # as written there
                    print(f"{path.relative_to(ROOT)}: L{number} has {key} {subnet.get(key)}", file=sys.stderr)
                    wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
