# SPDX-License-Identifier: Apache-2.0
# Sourced by ./dev: which Debian packages each kind of work needs, and installing those that
# are missing. Only apt runs as root; all else is the calling user's.

packages_build=(build-essential cmake ninja-build pkg-config librdkafka-dev libpg-query-dev
    libsqlite3-dev libcurl4-openssl-dev libarchive-dev libjansson-dev libdeflate-dev libsnappy-dev
    libzstd-dev liblz4-dev libmicrohttpd-dev libssl-dev libkrb5-dev libcmocka-dev)
packages_test=(python3 python3-pytest python3-jsonschema python3-venv sqlite3 postgresql kcat openssl valgrind locales groff-base mandoc
    libavro-dev clang libclang-rt-dev systemd zsh fish dpkg-dev file debootstrap
    chromium prometheus python3-prometheus-client)
packages_stack=(python3 curl maven)
packages_lint=(python3 clang clang-format-19)
packages_fuzz=(clang libclang-rt-dev)
packages_package=(dpkg-dev file)
packages_long=(krb5-kdc krb5-admin-server krb5-user libsasl2-modules-gssapi-mit buildah) # of test --long: a Kerberos realm, an image

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "dev: $*"
    exit 1
}

usage_error() {
    say "dev: $*"
    exit 2
}

# java_is_present: a Java of 17 or later is in PATH, wherever it came from.
java_is_present() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
    [ -n "$version" ] && [ "$version" -ge 17 ]
}

# missing_of PACKAGE...: prints those that are not installed.
missing_of() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
    installed=$(awk '$1 == "ii" { print $2 }' <<<"$installed")
    local package
    for package in "$@"; do
        grep -qxF "$package" <<<"$installed" || printf '%s\n' "$package"
    done
}

# apt ARG...: apt-get as root, its words kept in $apt_log.
apt_log=build/apt.log
apt() {
    local as_root=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1) # 1: no service is started
    [ "$(id -u)" = 0 ] || as_root=(sudo -- "${as_root[@]}")
    "${as_root[@]}" apt-get -q "$@" >"$apt_log" 2>&1 </dev/null
}

apt_update_is_due() {
    ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1
}

# need SET...: the packages of the sets (build, test, stack, lint, fuzz, package, long) are installed after it.
need() {
    local wanted=() missing set
    for set in "$@"; do
        local -n packages=packages_$set
        wanted+=("${packages[@]}")
        if [ "$set" = stack ] && ! java_is_present; then
            wanted+=(default-jre-headless)
        fi
        if [ "$set" = test ] && ! command -v javac >/dev/null; then
            wanted+=(default-jdk-headless)
        fi
    done
    mapfile -t missing < <(missing_of "${wanted[@]}" | sort -u)
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing, and there is no apt-get: ${missing[*]}"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "missing: ${missing[*]}; run as root or with sudo to have them installed"

    say "installing with apt: ${missing[*]}"
    mkdir -p build
    local install=(install -y --no-install-recommends "${missing[@]}")
    if apt_update_is_due; then
        apt update || apt_failed
    fi
    apt "${install[@]}" && return 0
    # The lists may be older than the archive.
    say "installing failed; once more after apt-get update"
    apt update || apt_failed
    apt "${install[@]}" || apt_failed
}

apt_failed() {
    tail -n 20 "$apt_log" >&2
    die "apt failed; all it said is in $apt_log"
}
