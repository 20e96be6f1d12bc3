# SPDX-License-Identifier: Apache-2.0
# Sourced by stack.sh: one Kafka broker that is its own controller (KRaft).
#
# Listeners for clients: the plain one, and PROXIED1 to 4, which listen at
# kafka_behind_proxyN_port but tell clients kafka_proxyN_port. A test starts a proxy there, and
# no client goes around it.

kafka_jvm=(-Xms128m -Xmx384m -XX:+UseSerialGC "${stack_jvm[@]}"
    "-Dlog4j2.configurationFile=$here/stack/log4j2.properties")

kafka_proxies=(1 2 3 4)

# kafka_listeners FORMAT PORT: one for each proxy; @ in both is its number.
kafka_listeners() {
    local n name
    for n in "${kafka_proxies[@]}"; do
        name=${2//@/$n}
        # shellcheck disable=SC2059  # the format is the caller's
        printf "${1//@/$n}" "${!name}"
    done
}

kafka_prepare() {
    local dir=$STACK_DIR/kafka
    [ ! -f "$dir/data/meta.properties" ] || return 0
    mkdir -p "$dir"
    cat >"$dir/kafka.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$kafka_controller_port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT$(kafka_listeners ,PROXIED@:PLAINTEXT kafka_port),CONTROLLER:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$kafka_port$(kafka_listeners ,PROXIED@://127.0.0.1:%s kafka_behind_proxy@_port),CONTROLLER://127.0.0.1:$kafka_controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$kafka_port$(kafka_listeners ,PROXIED@://127.0.0.1:%s kafka_proxy@_port)
log.dirs=$dir/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
# The controller holds a killed broker for alive this long, and a restart waits for it.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
log.retention.check.interval.ms=5000
log.cleaner.backoff.ms=500
CONF
    java -cp "$STACK_JARS/kafka/*" "${kafka_jvm[@]}" -XX:TieredStopAtLevel=1 \
        kafka.tools.StorageTool format -t dHJhbWxpbmUtc3RhY2stMQ \
        -c "$dir/kafka.properties" </dev/null >"$STACK_DIR/log/kafka-format.log" 2>&1 ||
        die "kafka: format failed; see $STACK_DIR/log/kafka-format.log"
}

kafka_command() {
    command=(java -cp "$STACK_JARS/kafka/*" "${kafka_jvm[@]}" kafka.Kafka kafka.properties)
}

# The broker says so after the controller let it in, when its ports answer.
kafka_is_ready() {
    # Not grep -q, which leaves at the first line: a long log would then end in a broken pipe.
    log_since_start kafka | grep 'Kafka Server started' >/dev/null
}

kafka_env() {
    echo "export TRAMLINE_BROKERS=127.0.0.1:$kafka_port"
    echo "export TRAMLINE_BROKERS_BEHIND_PROXY='$(kafka_listeners "127.0.0.1:%s " kafka_behind_proxy@_port)'"
    echo "export TRAMLINE_BROKERS_PROXY='$(kafka_listeners "127.0.0.1:%s " kafka_proxy@_port)'"
}
