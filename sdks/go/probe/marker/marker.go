// Package marker exports the C function dmconform_marker and tells in which library it is.
package marker

/*
#cgo CFLAGS: -Wall -Wextra -Werror -fvisibility=hidden
#cgo LDFLAGS: -ldl
#include "marker.h"
*/
import "C"

import "path"

// Language is what dmconform_marker returns.
func Language() string {
	return C.GoString(C.dmconform_marker())
}

// OwnLibrary returns the file name of the library that this code is in.
func OwnLibrary() string {
	return fileName(C.dmconform_own_library())
}

// GlobalLibrary returns the file name of the library that a look-up of dmconform_marker by name leads to, or "none".
func GlobalLibrary() string {
	return fileName(C.dmconform_global_library())
}

func fileName(library *C.char) string {
	if library == nil {
		return "none"
	}
	return path.Base(C.GoString(library))
}
