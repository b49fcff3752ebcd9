#!/bin/sh
# Runs ScaleHoster on one machine as it runs on many: one Redis, three web processes behind nginx, two workers.
# deploy/local.sh --help has the options.
set -eu
cd "$(dirname "$0")/.."
command -v cargo >/dev/null || {
    echo "missing: cargo. Install Rust with rustup, from https://rustup.rs" >&2
    exit 1
}
exec cargo xtask cluster "$@"
