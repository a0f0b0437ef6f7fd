. "$steps/common.sh"
. "$steps/module.sh"

listener first '{name: probe}' | configure
start
wait_for live
{ listener first '{name: probe}'; listener second '{name: probe}'; listener third "{name: $(printf '%0300d' 0 | tr 0 a)}"; } | configure
wait_for 'grep -q "threw exception" envoy.log'
grep -o "Filesystem watch callback.*" envoy.log | cut -c 1-120
admin 'stats?filter=lds.update_(success|rejected|failure)'
echo "listeners: $(admin listeners | tr '\n' ' ')"
