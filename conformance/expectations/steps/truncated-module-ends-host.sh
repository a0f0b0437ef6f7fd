. "$steps/common.sh"
. "$steps/module.sh"

# Half of a module, as a copy that is under way or was cut off leaves it.
head -c $(($(stat -c %s libprobe.so) / 2)) libprobe.so > libhalf.so
listener main '{name: half}' | configure
start
wait "$pid"
echo "Envoy ended with exit status $? (128 + 7: SIGBUS)"
