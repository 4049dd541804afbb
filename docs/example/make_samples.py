#!/usr/bin/env python3
"""Invents docs/example/samples.csv: what a logger on a board would have written. No board was involved.

The sub-networks take 1, 2 and 3 ms that no clock changes and 2, 4 and 6 ms at 1000 MHz that follow the GPU's clock, with 2 %
of noise and a slow first inference; power is a round figure for each clock.
"""
import pathlib
import random

draw = random.Random(1)
lines = ["subnet,unit,f_cpu_mhz,f_gpu_mhz,latency_ms,power_w,idle_power_w"]
for level in (1, 2, 3):
    for mhz, power_w in ((1000, 9.8), (600, 6.0), (200, 2.8)):
        for inference in range(42):
            latency_ms = (level + 2 * level * 1000 / mhz) * (1 + 0.02 * draw.gauss(0, 1)) * (4 if inference == 0 else 1)
            lines.append(f"L{level},gpu,2000,{mhz},{latency_ms:.3f},{power_w + 0.05 * draw.gauss(0, 1):.2f},1.3")
(pathlib.Path(__file__).parent / "samples.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
