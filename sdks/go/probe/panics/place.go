// Package panics knows the configurations of the contract's filters called `panic`.
package panics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Request is what a connection carries to ask for a panic.
const Request = "dmconform panic"

// A Place is the callback that a filter panics in.
type Place string

// Parse reads the configuration of a filter that has these callbacks.
func Parse(config string, callbacks ...string) (Place, error) {
	callback, option, optional := strings.Cut(config, " ")
	switch {
	case !slices.Contains(callbacks, callback):
		return "", fmt.Errorf("panic: the configuration must start with one of %s", strings.Join(callbacks, ", "))
	case !optional:
		return Place(callback), nil
	case option == "guarded":
		return "", errors.New("panic: the SDK has no guard that a filter can opt into")
	default:
		return "", fmt.Errorf("panic: unknown option %q", option)
	}
}

// Reached panics if the callback is the place for it.
func (p Place) Reached(callback string) {
	if p == Place(callback) {
		In(callback)
	}
}

// In panics with the contract's text.
func In(callback string) {
	panic(Request + " in " + callback)
}
