# SPDX-License-Identifier: Apache-2.0
# Sourced by stack.sh: Apicurio Registry, in memory, with Confluent's API under
# /apis/ccompat/v7. It forgets its schemas when it ends.

registry_prepare() {
    mkdir -p "$STACK_DIR/registry"
}

registry_command() {
    command=(env QUARKUS_HTTP_HOST=127.0.0.1 "QUARKUS_HTTP_PORT=$registry_port"
        java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
        -jar "$STACK_JARS/registry/apicurio-registry-app-3.0.9-runner.jar")
}

registry_is_ready() {
    curl -sf -m 5 -o /dev/null "http://127.0.0.1:$registry_port/apis/ccompat/v7/subjects"
}

registry_env() {
    echo "export TRAMLINE_REGISTRY=http://127.0.0.1:$registry_port/apis/ccompat/v7"
}
