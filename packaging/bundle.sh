#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bundle.sh PROGRAM LAUNCHER OUT.tar.gz: the program with its libraries and their loader, stripped,
# so that it runs on any Linux of this processor: bin/tramline, lib/*, share/*. No file of the machine is
# needed but certificates for TLS.
set -eu
program=$1 launcher=$2 out=$3
place=$out.d
rm -rf "$place"
mkdir -p "$place/tramline/bin" "$place/tramline/lib"
cp "$launcher" "$place/tramline/bin/tramline"
cp "$program" "$place/tramline/lib/tramline"
ldd "$program" | while read -r name arrow path _; do
    case $name in
    /*/ld-linux*) cp -L "$name" "$place/tramline/lib/ld.so" ;;
    linux-vdso*) ;;
    *)
        [ "$arrow" = '=>' ] && [ -e "$path" ] || { echo "bundle: $name is not found" >&2; exit 1; }
        cp -L "$path" "$place/tramline/lib/"
        ;;
    esac
done
mkdir -p "$place/tramline/share/tramline"
cp "$(dirname "$0")"/../share/tramline/*.py "$place/tramline/share/tramline/"
strip --strip-unneeded "$place/tramline/bin/tramline" "$place"/tramline/lib/*
tar -C "$place" --owner=0 --group=0 --numeric-owner --sort=name -czf "$out" tramline
rm -rf "$place"
