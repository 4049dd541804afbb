#!/usr/bin/env python3
"""A made-up tegrastats log of a given size, to measure how fast such logs are read:

    tools/tegrastats_log.py --megabytes 100 --seed 1 > /tmp/board.log
    time dynasoc trace import tegrastats /tmp/board.log -o /tmp/board.csv

The same seed gives the same bytes. Standard library only.
"""
import argparse
import datetime
import random
import sys

CPU_MHZ = (1190, 1267, 1344, 1420)
GPU_MHZ = (114, 306, 510, 803, 1109)


def line(at, draw):
    cpus = ",".join(f"{draw.randrange(101)}%@{draw.choice(CPU_MHZ)}" for _ in range(6))
    power = draw.randrange(3000, 12000)
    return (f"{at:%m-%d-%Y %H:%M:%S} RAM {draw.randrange(2000, 6000)}/6851MB (lfb 2x4MB) SWAP 161/3426MB (cached 0MB) CPU [{cpus}] "
            f"EMC_FREQ {draw.randrange(60)}%@1600 GR3D_FREQ {draw.randrange(101)}%@[{draw.choice(GPU_MHZ)}] VIC_FREQ 115 APE 150 "
            f"AUX@{draw.randrange(70, 100) / 2}C CPU@{draw.randrange(70, 120) / 2}C thermal@45.6C AO@45C GPU@{draw.randrange(70, 120) / 2}C "
            f"PMIC@50C VDD_IN {power}mW/{power}mW VDD_CPU_GPU_CV {power // 3}mW/{power // 3}mW VDD_SOC {power // 5}mW/{power // 5}mW\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    left = options.megabytes * 1e6
    at = datetime.datetime(2026, 11, 29, 22, 9, 18)
    while left > 0:
        text = line(at, draw)
        sys.stdout.write(text)
        left -= len(text)
        at += datetime.timedelta(seconds=1)


if __name__ == "__main__":
    main()
