. "$steps/common.sh"
. "$steps/module.sh"

mkdir elsewhere
cp libprobe.so elsewhere/libprobe.so
export LD_LIBRARY_PATH="$PWD/elsewhere"
listener main '{module: {local: {filename: libprobe.so}}}' | configure
start
wait_for live
echo "the file that the configuration names: $(ls libprobe.so), in the current directory"
echo "the file that is loaded: $(awk '/libprobe.so/ { print $6 }' "/proc/$pid/maps" | sort -u | sed "s#$PWD/##")"
