// The module `null_program_init`: its first hook returns no ABI version.
package main

import "C"

import (
	"unsafe"

	_ "dmconform/probe/marker" // exports dmconform_marker
)

//export envoy_dynamic_module_on_program_init
func envoy_dynamic_module_on_program_init() unsafe.Pointer { return nil }

func main() {}
