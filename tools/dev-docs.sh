#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the pages that come from the program (CMake target `docs`, once there is one), then
# checks the links of all pages.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
./dev build release >&2
if ninja -C build/release -t targets all | grep -q '^docs: '; then
    ./dev build release docs >&2
fi
python3 tools/error_codes.py --page >docs/errors.md
exec python3 tools/check_links.py
