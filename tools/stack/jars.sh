# SPDX-License-Identifier: Apache-2.0
# Sourced by stack.sh: the servers' jars. Maven keeps its downloads in ~/.m2; the copies made
# here are what the servers run from. A changed pom makes a new copy.

# get_jars PART
get_jars() {
    local part=$1 pom=$here/stack/$1.pom.xml dir=$STACK_JARS/$1
    cmp -s "$pom" "$dir/pom.xml" && return 0
    mkdir -p "$STACK_JARS"
    (
        flock 8
        cmp -s "$pom" "$dir/pom.xml" && exit 0
        say "getting the jars of $part with Maven (once)"
        rm -rf "$dir" "$dir.new"
        mkdir -p "$dir.new"
        mvn -B -q -f "$pom" package "-Djars=$dir.new" </dev/null >"$dir.log" 2>&1 || {
            tail -n 20 "$dir.log" >&2
            die "Maven could not get the jars of $part; see $dir.log"
        }
        local archive
        for archive in "$dir.new"/*.tar.gz; do
            [ ! -f "$archive" ] || { tar -xzf "$archive" -C "$dir.new" && rm "$archive"; }
        done
        cp "$pom" "$dir.new/pom.xml"
        mv "$dir.new" "$dir"
    ) 8>"$STACK_JARS/$part.lock" 9>&-
}
