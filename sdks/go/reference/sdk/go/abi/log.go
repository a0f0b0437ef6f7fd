package abi

/*
#include "abi.h"
*/
import "C"

import (
	"fmt"
	"runtime"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// hostLog is the host's log; handles embed it.
type hostLog struct{}

// Log writes a line to the host's log, if it is open for the level.
func (hostLog) Log(level shared.LogLevel, format string, args ...any) {
	hostLevel := C.envoy_dynamic_module_type_log_level(level)
	if !C.envoy_dynamic_module_callback_log_enabled(hostLevel) {
		return
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_log(hostLevel, ofText(fmt.Sprintf(format, args...), &pinner))
}
