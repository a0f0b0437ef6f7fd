#!/bin/bash
# Lets bubblewrap make sandboxes on this runner, for dmconform check --isolate: installs it where it is missing, and where AppArmor
# keeps it from user namespaces, as on Ubuntu from 24.04 on, gives it a profile until the next boot. What it cannot do, the check
# itself explains.
set -uo pipefail

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

works() {
    bwrap --unshare-user --unshare-net --unshare-pid --ro-bind / / --proc /proc true
}

if ! command -v bwrap >/dev/null; then
    echo "Installing bubblewrap."
    as_root apt-get update -qq
    as_root apt-get install -qq -y --no-install-recommends bubblewrap
fi
works 2>/dev/null && exit

if command -v apparmor_parser >/dev/null; then
    echo "Loading a profile of AppArmor for bubblewrap, which lets it make user namespaces."
    as_root apparmor_parser --replace --skip-cache <<PROFILE
abi <abi/4.0>,
profile dmconform-bwrap $(readlink -f "$(command -v bwrap)") flags=(unconfined) {
  userns,
}
PROFILE
    works 2>/dev/null && exit
fi

echo "Setting kernel.apparmor_restrict_unprivileged_userns to 0, for all programs, until the next boot."
as_root sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0
works || echo "::warning title=dmconform check::bubblewrap cannot make a sandbox on this runner."
