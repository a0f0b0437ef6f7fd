//go:build !sdk_1_37 && !sdk_1_38

package shared

// recreator is what a handle has from 1.39 on.
type recreator interface {
	// RecreateStream starts the stream anew, with these headers or, without any, its own; its filters end. It returns false
	// where that cannot be.
	RecreateStream(headers [][2]string) bool
}
