. "$steps/common.sh"
. "$steps/module.sh"

listener first '{name: probe}' | configure
start
wait_for live
echo "the admin interface answers"
mkfifo libfifo.so
{ listener first '{name: probe}'; listener second '{name: fifo}'; } | configure
stuck() { ! admin ready > answer; }
wait_for stuck
echo "the admin interface does not answer within 5 seconds"
