#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the pages that come from the program and its tables, then checks the links of all pages.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
./dev build release >&2
build/release/tramline reference >docs/reference.md
python3 tools/error_codes.py --page >docs/errors.md
exec python3 tools/check_links.py
