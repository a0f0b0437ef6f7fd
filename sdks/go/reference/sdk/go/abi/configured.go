package abi

import (
	"unsafe"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// configured has the module parse a configuration, and returns a cell with what came of it. With null, which stands for a
// panic, an error or nothing at all, the host refuses the configuration.
func configured[T any](where string, parse func() (T, error)) unsafe.Pointer {
	var parsed T
	var err error
	completed := recovered(where, func() { parsed, err = parse() })
	if err != nil {
		hostLog{}.Log(shared.LogLevelError, "%s: %v", where, err)
	}
	if !completed || err != nil || any(parsed) == nil {
		return nil
	}
	return newCell(parsed)
}
