# SPDX-License-Identifier: Apache-2.0
# Sourced by stack.sh: a name node and one data node with WebHDFS. Who runs them is the
# superuser, and requests without user.name are his; other users are held to permissions.

hdfs_jvm=(-Xms64m -Xmx256m -XX:+UseSerialGC "${stack_jvm[@]}"
    --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.util=ALL-UNNAMED
    --add-opens java.base/java.nio=ALL-UNNAMED --add-opens java.base/java.net=ALL-UNNAMED)

# hdfs_site FILE NAME VALUE...: writes a Hadoop configuration file.
hdfs_site() {
    local file=$1
    shift
    {
        echo '<?xml version="1.0"?>'
        echo '<configuration>'
        while [ $# -gt 0 ]; do
            echo "  <property><name>$1</name><value>$2</value></property>"
            shift 2
        done
        echo '</configuration>'
    } >"$file"
}

hdfs_prepare() {
    local conf=$STACK_DIR/namenode/conf
    [ ! -f "$STACK_DIR/namenode/data/current/VERSION" ] || return 0
    # The folders webapps/* may be empty but must be there.
    mkdir -p "$conf"/webapps/{hdfs,datanode,static} "$STACK_DIR/datanode"
    cp "$here/stack/log4j.properties" "$conf/"
    hdfs_site "$conf/core-site.xml" \
        fs.defaultFS "hdfs://127.0.0.1:$namenode_rpc_port" \
        hadoop.tmp.dir "$STACK_DIR/namenode/tmp" \
        hadoop.http.staticuser.user "$(id -un)"
    hdfs_site "$conf/hdfs-site.xml" \
        dfs.replication 1 \
        dfs.namenode.name.dir "file://$STACK_DIR/namenode/data" \
        dfs.namenode.rpc-address "127.0.0.1:$namenode_rpc_port" \
        dfs.namenode.http-address "127.0.0.1:$namenode_port" \
        dfs.namenode.safemode.extension 0 \
        dfs.namenode.fs-limits.min-block-size 512 \
        dfs.heartbeat.interval 1 \
        dfs.datanode.data.dir "file://$STACK_DIR/datanode/data" \
        dfs.datanode.hostname 127.0.0.1 \
        dfs.datanode.address "127.0.0.1:$datanode_data_port" \
        dfs.datanode.http.address "127.0.0.1:$datanode_port" \
        dfs.datanode.ipc.address "127.0.0.1:$datanode_ipc_port"
    java -cp "$conf:$STACK_JARS/hdfs/*" "${hdfs_jvm[@]}" -XX:TieredStopAtLevel=1 \
        org.apache.hadoop.hdfs.server.namenode.NameNode -format -nonInteractive \
        </dev/null >"$STACK_DIR/log/namenode-format.log" 2>&1 ||
        die "hdfs: format failed; see $STACK_DIR/log/namenode-format.log"
}

hdfs_java() {
    command=(java -cp "$STACK_DIR/namenode/conf:$STACK_JARS/hdfs/*" "${hdfs_jvm[@]}" "$1")
}

namenode_command() {
    hdfs_java org.apache.hadoop.hdfs.server.namenode.NameNode
}

datanode_command() {
    hdfs_java org.apache.hadoop.hdfs.server.datanode.DataNode
}

# jmx PORT BEAN: what a Hadoop server says of itself.
jmx() {
    curl -sf -m 5 "http://127.0.0.1:$1/jmx?qry=Hadoop:service=$2" 2>/dev/null
}

# Out of safe mode; that needs the data node, if one runs.
namenode_is_ready() {
    local state
    state=$(jmx "$namenode_port" NameNode,name=FSNamesystemState) || return 1
    grep -q '"FSState"' <<<"$state" || return 1
    pid_of datanode >/dev/null || return 0
    grep -q '"FSState" : "Operational"' <<<"$state" &&
        grep -q '"NumLiveDataNodes" : 1' <<<"$state"
}

# Registered at the name node, if one runs.
datanode_is_ready() {
    local state
    state=$(jmx "$datanode_port" DataNode,name=DataNodeInfo) || return 1
    pid_of namenode >/dev/null || return 0
    grep -q 'ActorState[\": ]*RUNNING' <<<"$state"
}

hdfs_env() {
    echo "export TRAMLINE_HDFS=hdfs://127.0.0.1:$namenode_port"
    echo "export TRAMLINE_DATANODE=127.0.0.1:$datanode_port"
}
