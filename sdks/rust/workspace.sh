# Sourced by the other scripts: puts the chosen SDK and its lock file into the workspace, and enters it.
# shellcheck shell=sh
workspace=/work/src/probe
case "$DMCONFORM_PROVIDER" in
reference)
    ln -sfn /work/src/reference "$workspace/sdk"
    cp /work/src/reference/Cargo.lock "$workspace/Cargo.lock"
    ;;
official)
    ln -sfn /work/sdk/source/extensions/dynamic_modules/sdk/rust "$workspace/sdk"
    cp /work/src/official/Cargo.lock "$workspace/Cargo.lock"
    ;;
*)
    echo "workspace.sh: DMCONFORM_PROVIDER must be official or reference, not '$DMCONFORM_PROVIDER'" >&2
    exit 2
    ;;
esac
cd "$workspace"

# `sdk-1-38` for 1.38: a feature of the probe, and of the reference SDK, whose API follows the release's.
sdk_feature="sdk-$(echo "$DMCONFORM_SDK_MINOR" | tr . -)"
features="probe/$sdk_feature"
if [ "$DMCONFORM_PROVIDER" = reference ]; then
    features="$features,probe/reference,envoy-proxy-dynamic-modules-rust-sdk/$sdk_feature"
fi

# From 1.40 on, HTTP filters are called by `&self`. Its development line did so late, so an official SDK is looked at.
case "$DMCONFORM_PROVIDER:$DMCONFORM_SDK_MINOR" in
reference:1.3[789]) ;;
reference:*)
    features="$features,probe/shared-self,envoy-proxy-dynamic-modules-rust-sdk/shared-self"
    ;;
official:*)
    if grep -rh -A1 'fn on_request_headers($' sdk/src/ | grep -q '^ *&self,$'; then
        features="$features,probe/shared-self"
    fi
    ;;
esac

# The reference SDK includes the bindings that the harness generated.
export DMCONFORM_ABI_RS=/work/abi/abi.rs
export CARGO_HOME="${CARGO_HOME:-/work/cargo}" CARGO_TARGET_DIR=/work/target CARGO_TERM_COLOR=never
