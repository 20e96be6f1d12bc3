# SPDX-License-Identifier: Apache-2.0
# Sourced by stack.sh: servers as processes of this machine. Each server NAME has
# NAME_command (sets the array `command`) and NAME_is_ready, and $STACK_DIR/NAME as its folder.

# start_time PID: when the process began, in ticks since boot; with the pid it names a process.
start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    stat=${stat##*) }
    set -- $stat
    [ "$1" != Z ] && echo "${20}"
}

# pid_of SERVER: prints its pid; fails when it does not run.
pid_of() {
    local pid start
    { read -r pid start <"$STACK_DIR/$1/pid"; } 2>/dev/null || return 1
    [ "$(start_time "$pid")" = "$start" ] && echo "$pid"
}

start_server() {
    local server=$1 command pid
    ! pid_of "$server" >/dev/null || return 0
    mkdir -p "$STACK_DIR/$server"
    local log=$STACK_DIR/log/$server.log
    touch "$log"
    stat -c %s "$log" >"$STACK_DIR/$server/log_start"
    "${server}_command"
    # Away from the caller's terminal and process group: the servers outlive the shell.
    (cd "$STACK_DIR/$server" && exec setsid "${command[@]}") </dev/null >>"$log" 2>&1 9>&- &
    pid=$!
    echo "$pid $(start_time "$pid")" >"$STACK_DIR/$server/pid"
}

# log_since_start SERVER: what it wrote since it was started the last time.
log_since_start() {
    tail -c "+$(($(cat "$STACK_DIR/$1/log_start") + 1))" "$STACK_DIR/log/$1.log"
}

wait_ready() {
    local server=$1 deadline=$((SECONDS + ready_limit_s))
    until "${server}_is_ready"; do
        pid_of "$server" >/dev/null || not_ready "$server" "ended before it was ready"
        [ "$SECONDS" -lt "$deadline" ] || not_ready "$server" "was not ready in $ready_limit_s s"
        sleep 0.1
    done
}

not_ready() {
    log_since_start "$1" | tail -n 15 >&2
    die "$1 $2; see $STACK_DIR/log/$1.log"
}

# wait_gone SERVER SECONDS
wait_gone() {
    local deadline=$((SECONDS + $2))
    while pid_of "$1" >/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

signal_server() {
    local pid
    pid=$(pid_of "$2") || return 0
    kill "-$1" "$pid" 2>/dev/null || true
}

stop_server() {
    signal_server TERM "$1"
    wait_gone "$1" 20 || kill_server "$1"
}

kill_server() {
    signal_server KILL "$1"
    wait_gone "$1" 20 || die "$1 does not end"
}

pause_server() {
    signal_server STOP "$1"
}

resume_server() {
    signal_server CONT "$1"
}
