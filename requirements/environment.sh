# Makes a Python environment of pinned requirements, once. Sourced by ./toxw and ./dmconform, in the root of the clone.
# shellcheck shell=sh

# Usage: environment NAME FOLDER REQUIREMENTS [ROOT]
# NAME begins each message, all of which go to standard error. With ROOT, the project in that folder is installed too, editable.
environment() {
    name=$1 folder=$2 requirements=$3 root=${4:-}
    python=${PYTHON:-python3}
    # The stamp tells a whole environment from one whose making was interrupted, or that was made for a clone elsewhere.
    stamp=$folder/made-from
    if [ "$({ cat "$requirements" && echo "$root"; } | cksum)" = "$(cat "$stamp" 2>/dev/null)" ]; then
        return
    fi
    command -v "$python" >/dev/null ||
        fail "there is no $python; expected Python 3.11 or newer: install it, or name it in PYTHON"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$("$python" --version) is too old; expected Python 3.11 or newer: name one in PYTHON"
    echo "$name: making $folder, once" >&2
    rm -rf "$folder"
    if ! "$python" -m venv "$folder" >/dev/null 2>&1; then
        # Debian keeps what venv needs in a package of its own.
        rm -rf "$folder"
        sudo=
        if [ "$(id -u)" != 0 ]; then
            command -v sudo >/dev/null ||
                fail "Python's venv is missing, and there is no right to install it: install python3-venv"
            sudo=sudo
        fi
        echo "$name: installing python3-venv" >&2
        { $sudo apt-get update -qq && $sudo apt-get install -qq -y --no-install-recommends python3-venv; } >&2 ||
            fail "python3-venv could not be installed; install it by hand"
        "$python" -m venv "$folder" >&2 || fail "$folder could not be made"
    fi
    pip="$folder/bin/python -m pip install --quiet --disable-pip-version-check"
    $pip --require-hashes --requirement "$requirements" >&2 || fail "the packages of $requirements could not be installed"
    if [ -n "$root" ]; then
        $pip --no-deps --no-build-isolation --no-index --editable "$root" >&2 || fail "$root could not be installed"
    fi
    { cat "$requirements" && echo "$root"; } | cksum >"$stamp"
}
