. "$steps/common.sh"
. "$steps/module.sh"

# Whether the file that has the name now is among those that are mapped, by its inode.
is_loaded() { awk '/libprobe.so/ { print $5 }' "/proc/$pid/maps" | grep -q -x "$(stat -c %i libprobe.so)"; }

listener first '{name: probe}' | configure
start
wait_for live
is_loaded && echo "the file is loaded"
cp libprobe.so new.so
mv new.so libprobe.so
{ listener first '{name: probe}'; listener second '{name: probe}'; } | configure
wait_for 'updated 2'
wait_for '[ -S second.sock ]'
if is_loaded; then
  echo "a new file under the same name is loaded by a listener that came after it"
else
  echo "a new file under the same name is not loaded by a listener that came after it"
fi
