# SPDX-License-Identifier: Apache-2.0
# Sourced by ./dev: the kinds of build. Each has its own folder, build/KIND.

# kind_options KIND: prints what CMake is told, one word a line. A package is made by whatever
# compiler is there: its warnings are no errors.
kind_options() {
    [ "$1" = package ] || printf '%s\n' -DTRAMLINE_WERROR=ON
    case $1 in
    release) printf '%s\n' -DCMAKE_BUILD_TYPE=Release ;;
    package) printf '%s\n' -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr ;;
    debug) printf '%s\n' -DCMAKE_BUILD_TYPE=Debug ;;
    asan) printf '%s\n' -DCMAKE_BUILD_TYPE=Debug -DTRAMLINE_SANITIZE=ON ;;
    tsan) printf '%s\n' -DCMAKE_BUILD_TYPE=Debug -DTRAMLINE_TSAN=ON ;;
    clang) printf '%s\n' -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang ;;
    coverage) printf '%s\n' -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=--coverage ;;
    fuzz) printf '%s\n' -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DTRAMLINE_FUZZ=ON ;;
    *) return 1 ;;
    esac
}

# build KIND [TARGET...]: configures when that was not done yet, or otherwise, then builds.
build() {
    local kind=$1 options launcher=()
    shift
    options=$(kind_options "$kind") ||
        usage_error "build: unknown kind '$kind'; there are release, package, debug, asan, tsan, clang, coverage"
    need build
    case $kind in
    clang) need lint ;;
    fuzz) need fuzz ;;
    esac
    [ -f CMakeLists.txt ] || die "build: there is no CMakeLists.txt"
    if [ ! -f "build/$kind/build.ninja" ] || [ "$options" != "$(cat "build/$kind/options" 2>/dev/null)" ]; then
        command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
        mkdir -p build
        # shellcheck disable=SC2086  # one word a line, none holds a space
        cmake -S . -B "build/$kind" -G Ninja $options "${launcher[@]}" >"build/cmake-$kind.log" 2>&1 || {
            cat "build/cmake-$kind.log" >&2
            die "build: CMake failed"
        }
        printf '%s\n' "$options" >"build/$kind/options"
    fi
    ninja -C "build/$kind" "$@"
}

# make_package: build/package/tramline_VERSION_ARCH.deb, whose path is printed.
make_package() {
    build package all words >&2
    (cd build/package && rm -f ./*.deb && cpack -G DEB) >build/package.log 2>&1 || {
        cat build/package.log >&2
        die "package: cpack failed"
    }
    ls "$PWD"/build/package/*.deb
}
