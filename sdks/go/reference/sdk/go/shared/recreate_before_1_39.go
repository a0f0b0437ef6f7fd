//go:build sdk_1_37 || sdk_1_38

package shared

// recreator is what a handle has from 1.39 on.
type recreator interface{}
