// Package main imports what the SDK and the probes do of the standard library; see warm-go.
package main

import "C"

import (
	_ "embed"
	_ "fmt"
	_ "os"
	_ "path/filepath"
	_ "runtime"
	_ "strconv"
	_ "strings"
	_ "sync"
	_ "sync/atomic"
	_ "unsafe"
)

func main() {}
