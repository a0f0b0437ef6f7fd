. "$steps/common.sh"
. "$steps/module.sh"

mkdir search libbelow
mv libprobe.so libbelow/probe.so
export ENVOY_DYNAMIC_MODULES_SEARCH_PATH="$PWD/search"
listener main '{name: below/probe}' | configure
start
wait_for live
echo "the search path: $(find search -type f | wc -l) files"
echo "the file that is loaded: $(awk '/probe.so/ { print $6 }' "/proc/$pid/maps" | sort -u | sed "s#$PWD/##")"
