. "$steps/common.sh"
. "$steps/module.sh"

is_gone() { ! grep -q libprobe.so "/proc/$pid/maps"; }

{ listener first '{name: probe}'; listener second '{name: probe, do_not_close: true}'; } | configure
start
wait_for live
is_gone || echo "two listeners, the second one with do_not_close: the module is loaded"
: | configure
wait_for 'updated 2'
wait_for is_gone && echo "no listeners: the module is unloaded"
