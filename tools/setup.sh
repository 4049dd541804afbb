#!/usr/bin/env bash
# Installs the packages that building needs, where they are missing. --test: also what only tests need; --lint: the lint tools.
set -euo pipefail

packages=(cmake ninja-build g++ pkg-config nlohmann-json3-dev libeigen3-dev libboost-dev libboost-program-options-dev
  catch2 libsimgrid-dev coinor-libcbc-dev libpagmo-dev libprotozero-dev libboost-context-dev ccache python3 python3-dev
  python3-venv python3-simpy python3-yaml
  libdnnl-dev ocl-icd-opencl-dev openssh-server openssh-client)
test_packages=(chromium chromium-driver)
commands=(cmake ninja g++ python3)
if [[ ${1-} == --test ]]; then
  packages+=("${test_packages[@]}")
elif [[ ${1-} == --lint ]]; then
  packages+=(clang-format clang-tidy)
  commands+=(clang-format clang-tidy)
elif [[ $# -gt 0 ]]; then
  echo "usage: $0 [--test | --lint]" >&2
  exit 2
fi

missing=("${packages[@]}")
if command -v dpkg-query >/dev/null; then
  # Fails when it knows nothing of a package, yet answers for the others.
  known=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
  installed=$(sed -n 's/^installed //p' <<<"$known")
  mapfile -t missing < <(printf '%s\n' "${packages[@]}" | grep -vxF "$installed")
fi
[[ ${#missing[@]} -eq 0 ]] && exit 0

# Without the means to install, what was installed by other means may do: CMake will say what it does not find.
go_on_without() {
  echo "$1 These packages (Debian 12's names) are needed: ${missing[*]}" >&2
  for command in "${commands[@]}"; do
    command -v "$command" >/dev/null || { echo "Cannot go on: no command '$command'." >&2; exit 3; }
  done
  exit 0
}

command -v apt-get >/dev/null || go_on_without "This system has no apt-get."
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || go_on_without "Installing needs root, and there is no sudo."
  as_root=(sudo)
fi

echo "Installing with apt-get: ${missing[*]}"
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null; }
install() { apt install -y --no-install-recommends "${missing[@]}"; }
# A fresh system has no package lists; lists that name every package may still be too old to fetch them.
if apt-get install --simulate "${missing[@]}" >/dev/null 2>&1; then
  install || { apt update && install; }
else
  apt update
  install
fi
