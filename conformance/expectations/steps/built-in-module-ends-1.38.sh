. "$steps/common.sh"

listener main '{name: hickory_dns_static}' | configure
start
wait "$pid"
echo "Envoy ended with exit status $? (128 + 6: SIGABRT)"
grep -o 'panicked at.*' envoy.log | head -n 2
