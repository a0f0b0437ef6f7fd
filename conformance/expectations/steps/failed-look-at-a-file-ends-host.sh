. "$steps/common.sh"

listener main "{name: $(printf '%0300d' 0 | tr 0 a)}" | configure
start
wait "$pid"
echo "a name of 300 characters: Envoy ended with exit status $? (128 + 6: SIGABRT)"

ln -s libloop.so libloop.so
listener main '{name: loop}' | configure
start
wait "$pid"
echo "a symbolic link to itself: Envoy ended with exit status $?"
