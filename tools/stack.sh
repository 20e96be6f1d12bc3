#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real servers for tests: Kafka, HDFS (name node and data node) and a Schema Registry, on
# 127.0.0.1, on ports that were free when the instance was made.
#
#   stack.sh up [PART...]       start what does not run (kafka, hdfs, registry; all without a
#                               PART), wait until it answers, print the exports
#   stack.sh down               end all servers, delete their data; the jars stay
#   stack.sh env                print the exports of what was started
#   stack.sh status             one line a server
#   stack.sh start SERVER...    start again (kafka, namenode, datanode, registry), same ports
#   stack.sh stop SERVER...     end in good order (SIGTERM)
#   stack.sh kill SERVER...     end at once (SIGKILL)
#   stack.sh pause|resume SERVER...   SIGSTOP, SIGCONT
#   stack.sh java PART CLASS [ARG...] run a class of the part's jars (kafka, hdfs)
#
# An instance is a folder: STACK_DIR (default .stack/run); two folders are two instances. Jars
# are shared: STACK_JARS (default .stack/jars), filled with Maven from tools/stack/*.pom.xml.
# Each server has a folder there with its pid file: pid and start time, so that a pid which was
# given to another process is never taken for ours. Exports on stdout, all else on stderr.
# STACK_JVM: options of the servers' Java beside their own.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(dirname "$here")
STACK_JARS=${STACK_JARS:-$root/.stack/jars}
STACK_DIR=${STACK_DIR:-$root/.stack/run}
mkdir -p "$(dirname "$STACK_DIR")"
STACK_DIR=$(realpath -m "$STACK_DIR")
ready_limit_s=90
read -ra stack_jvm <<<"${STACK_JVM:-}"

say() {
    printf '%s\n' "stack: $*" >&2
}

die() {
    say "$*"
    exit 1
}

. "$here/stack/process.sh"
. "$here/stack/jars.sh"
. "$here/stack/kafka.sh"
. "$here/stack/hdfs.sh"
. "$here/stack/registry.sh"

all_parts=(kafka hdfs registry)
all_servers=(kafka namenode datanode registry)
port_names=(kafka_port kafka_controller_port kafka_behind_proxy{1..4}_port kafka_proxy{1..4}_port
    namenode_port namenode_rpc_port datanode_port datanode_data_port datanode_ipc_port
    registry_port)

# Below the range from which the system takes ports for outgoing connections, so that a server
# which was killed finds its port free again. One beside the other: an instance that is made at
# the same time, whose ports are not open yet either, has another block.
choose_ports() {
    python3 - "$@" <<'PY'
import contextlib, random, socket, sys
names = sys.argv[1:]
while True:
    first = random.randrange(20000, 32000, len(names))
    try:
        with contextlib.ExitStack() as held:
            for port in range(first, first + len(names)):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
    except OSError:
        continue
    break
for number, name in enumerate(names):
    print(f"{name}={first + number}")
PY
}

load_ports() {
    [ -f "$STACK_DIR/ports" ] || return 1
    . "$STACK_DIR/ports"
}

make_instance() {
    mkdir -p "$STACK_DIR/log"
    load_ports && return 0
    choose_ports "${port_names[@]}" >"$STACK_DIR/ports.new"
    mv "$STACK_DIR/ports.new" "$STACK_DIR/ports"
    load_ports
}

servers_of() {
    case $1 in
    kafka) echo kafka ;;
    hdfs) echo namenode datanode ;;
    registry) echo registry ;;
    *) die "unknown part '$1'; there are ${all_parts[*]}" ;;
    esac
}

check_servers() {
    [ $# -gt 0 ] || die "which server? there are ${all_servers[*]}"
    local server
    for server in "$@"; do
        case " ${all_servers[*]} " in
        *" $server "*) ;;
        *) die "unknown server '$server'; there are ${all_servers[*]}" ;;
        esac
    done
    load_ports || die "nothing was started in $STACK_DIR"
}

# up_part PART: the part's jars are there, its data folder is made, its servers started.
up_part() {
    local part=$1 server
    get_jars "$part"
    "${part}_prepare"
    for server in $(servers_of "$part"); do
        start_server "$server"
    done
}

cmd_up() {
    local parts=("$@") part server jobs=() began=$SECONDS failed=
    [ $# -gt 0 ] || parts=("${all_parts[@]}")
    for part in "${parts[@]}"; do
        servers_of "$part" >/dev/null
    done
    exec 9>"$STACK_DIR.lock"
    flock 9
    make_instance
    for part in "${parts[@]}"; do
        up_part "$part" &
        jobs+=($!)
    done
    for part in "${jobs[@]}"; do
        wait "$part" || failed=1
    done
    [ -z "$failed" ] || die "could not start"
    for part in "${parts[@]}"; do
        for server in $(servers_of "$part"); do
            wait_ready "$server"
        done
        touch "$STACK_DIR/$part.up"
    done
    say "up after $((SECONDS - began)) s; logs in $STACK_DIR/log"
    cmd_env
}

cmd_down() {
    [ -d "$STACK_DIR" ] || return 0
    load_ports || die "$STACK_DIR is not an instance"
    exec 9>"$STACK_DIR.lock"
    flock 9
    local server
    for server in "${all_servers[@]}"; do
        kill_server "$server"
    done
    rm -rf "$STACK_DIR" "$STACK_DIR.lock"
    say "down"
}

cmd_env() {
    load_ports || die "nothing was started in $STACK_DIR"
    local part
    echo "export TRAMLINE_STACK_DIR='$STACK_DIR'"
    echo "export TRAMLINE_STACK_LOGS='$STACK_DIR/log'"
    for part in "${all_parts[@]}"; do
        [ ! -f "$STACK_DIR/$part.up" ] || "${part}_env"
    done
}

cmd_status() {
    load_ports || die "nothing was started in $STACK_DIR"
    local server pid
    for server in "${all_servers[@]}"; do
        if pid=$(pid_of "$server"); then
            printf '%-9s runs, pid %s\n' "$server" "$pid"
        else
            printf '%-9s does not run\n' "$server"
        fi
    done
}

cmd_start() {
    check_servers "$@"
    local server
    for server in "$@"; do
        [ -d "$STACK_DIR/$server" ] || die "$server was never up"
        start_server "$server"
    done
    for server in "$@"; do
        wait_ready "$server"
    done
}

cmd_each() {
    local verb=$1 server
    shift
    check_servers "$@"
    for server in "$@"; do
        "${verb}_server" "$server"
    done
}

cmd_java() {
    [ $# -ge 2 ] || die "java: which part, which class?"
    local part=$1
    shift
    get_jars "$part"
    case $part in
    kafka) exec java -cp "$STACK_JARS/kafka/*" "${kafka_jvm[@]}" "$@" ;;
    hdfs) exec java -cp "$STACK_DIR/namenode/conf:$STACK_JARS/hdfs/*" "${hdfs_jvm[@]}" "$@" ;;
    *) die "java: only kafka and hdfs" ;;
    esac
}

case ${1:-} in
up | down | env | status | start | java)
    name=$1
    shift
    "cmd_$name" "$@"
    ;;
stop | kill | pause | resume) cmd_each "$@" ;;
*)
    sed -n '3,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
