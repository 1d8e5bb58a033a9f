#!/usr/bin/env bash
# Runs every fuzz target for a number of seconds (600 by default), one after the other, on a copy of its corpus.
# Needs the nightly toolchain and cargo-fuzz (`cargo install cargo-fuzz`).
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-600}
for target in decode_key decode_signed decode_proof check_circuit verify verify_halo2 audit attest_nitro attest_dcap attest_snp; do
    work=$(mktemp -d)
    cp corpus/"$target"/* "$work"
    cargo +nightly fuzz run --fuzz-dir . -s none "$target" "$work" -- -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=60
    rm -r "$work"
done
