#!/usr/bin/env bash
# Draws the pictures of docs/calibration.md and docs/sensors.md again, from the program and the measured rows:
#   tools/plot_calibration.sh
# Needs gnuplot and build/release/dynasoc (or DYNASOC_BINARY). The pictures are committed: nothing else needs gnuplot.
set -euo pipefail
cd "$(dirname "$0")/.."
export DYNASOC_BINARY=${DYNASOC_BINARY:-build/release/dynasoc}
command -v gnuplot > /dev/null || { echo "gnuplot is not installed" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$work" << 'PYTHON'
import csv, json, os, pathlib, subprocess, sys

work, binary = pathlib.Path(sys.argv[1]), os.environ["DYNASOC_BINARY"]
raw = pathlib.Path("platforms/raw")


def fit(board):
    done = subprocess.run([binary, "table", "power", str(raw / f"{board}.power.json"), "--json"], capture_output=True, text=True,
                          check=False)
    return json.loads(done.stdout)["units"]


def write(name, rows):
    (work / name).write_text("".join(" ".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


cpu = fit("jetson-agx-xavier")["cpu"]["coefficients"]
v = cpu["v of energies"]
for runtime in ("armnn", "tflite"):
    e = cpu[f"e of {runtime}"]["value"]
    with open(raw / "mlperf_agx_xavier_cpu_power.csv", encoding="utf-8") as file:
        write(runtime, [[int(row["cpu_freq_khz"]) / 1e3, row["energy_above_idle_mj"]] for row in csv.DictReader(file)
                        if row["runtime"].startswith(runtime)])
    write(runtime + "-fit", [[f, e * (v["value"] + f / 1e3) ** 2] for f in range(1100, 2351, 25)])

gpu = fit("jetson-xavier-nx")["gpu"]
spread = gpu["power_uncertainty"]
import math
band = []
for point in gpu["power"]:
    above = point["busy_w"] - point["idle_w"]
    slope = spread["tilt"] * math.log(point["mhz"] / spread["pivot_mhz"])
    sd = math.sqrt(math.log1p(spread["level"] ** 2) + slope ** 2)
    band.append([point["mhz"], above, above * math.exp(-sd * sd / 2 - 1.96 * sd), above * math.exp(-sd * sd / 2 + 1.96 * sd)])
write("gpu", band)
with open(raw / "mlperf_jetson_gpu_power.csv", encoding="utf-8") as file:
    for row in csv.DictReader(file):
        if (row["device"], row["scenario"], row["engines"]) == ("Jetson Xavier NX", "SingleStream", "GPU (host CPU feeds)"):
            with open(work / ("gpu-" + row["workload"].split()[0]), "a", encoding="utf-8") as out:
                out.write(f"{int(row['gpu_freq_hz']) / 1e6} {row['power_minus_idle_w']}\n")
PYTHON
tools/sensor_error.py --series "$work/sensors.csv"

gnuplot << GNUPLOT
set terminal svg size 900,520 font "sans-serif,14" background "#ffffff"
set border 3 lc rgb "#616e7c"; set tics nomirror out tc rgb "#616e7c"; set grid lc rgb "#e4e7eb" lt 1
set key left top Left reverse
set output "docs/images/calibration-cpu.svg"
set title "AGX Xavier CPU, ResNet50: energy above idle of one inference, and e (v + f)^2"
set xlabel "CPU clock of the power mode [MHz]"; set ylabel "mJ above idle"; set xrange [1100:2350]; set yrange [0:*]
plot "$work/tflite" w p pt 7 ps 0.9 lc rgb "#3b3f9e" t "tflite, measured", "$work/tflite-fit" w l lw 2 lc rgb "#3b3f9e" t "fitted", \
     "$work/armnn" w p pt 5 ps 0.9 lc rgb "#f08c00" t "armnn, measured", "$work/armnn-fit" w l lw 2 lc rgb "#f08c00" t "fitted"
set output "docs/images/calibration-gpu.svg"
set title "Xavier NX GPU: power above idle, measured on six networks, and k f s(f) with what 95 % of networks may draw"
set xlabel "GPU clock [MHz]"; set ylabel "W above idle"; set xrange [100:1150]; set yrange [0:*]
plot "$work/gpu" u 1:3:4 w filledcurves fc rgb "#e3eaf2" t "95 % of boards and networks", "$work/gpu" u 1:2 w l lw 2 lc rgb "#1f2933" t "k f s(f)", \
     for [name in system("ls $work | grep gpu- | sed s/gpu-//")] "$work/gpu-".name w p pt 7 ps 0.8 t name
set output "docs/images/sensors.svg"
set datafile separator ","; set datafile missing ""
set title "One inference of 48.8 ms every 0.3 s: the rail, and what a reader sees once a second"
set xlabel "s"; set ylabel "W, VDD\\\\_CPU\\\\_GPU\\\\_CV"; set xrange [0:3]; set yrange [0:20]; set key right top noreverse Right
plot "$work/sensors.csv" u 1:2 skip 1 w steps lc rgb "#9aa5b1" t "true power (5 ms means)", \
     "" u 1:3 skip 1 w steps lw 2 lc rgb "#c92a2a" t "reading, register of 1.1 ms", "" u 1:4 skip 1 w steps lw 2 lc rgb "#2b8a8a" t "reading, register of 422 ms"
GNUPLOT
