package abi

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// A panic that reaches the host ends its process. Every call into a module's code goes through recovered instead: the panic
// is written to the host's log, and the one request that met it fails.

const (
	internalServerError = 500
	panicDetail         = "dynamic_module_panic"
)

// recovered runs code of the module's and tells whether it got to its end without a panic.
func recovered(where string, run func()) (completed bool) {
	defer func() {
		if payload := recover(); payload != nil {
			hostLog{}.Log(shared.LogLevelError, "panic in %s: %v", where, payload)
		}
	}()
	run()
	return true
}

// onRequest runs a callback for a request. After a panic the client gets an error, and nothing more of the request passes.
func onRequest[S ~int32](f *filter, where string, stop S, run func() S) (status S) {
	if f.failed {
		return stop
	}
	if recovered(where, func() { status = run() }) {
		return status
	}
	f.fail()
	return stop
}

// onResponse runs a callback for a response, unless it is the filter's own. After a panic the stream is reset.
func onResponse[S ~int32](f *filter, where string, stop S, run func() S) (status S) {
	if f.answered {
		return 0 // continue
	}
	f.responding = true
	return onRequest(f, where, stop, run)
}

// onEvent runs what a filter asked for. After a panic the stream fails as it would in the message that it is at.
func onEvent(f *filter, where string, run func()) {
	if !f.failed && !recovered(where, run) {
		f.fail()
	}
}

// fail ends the stream: with an error for the client, or by a reset where it has a response already.
func (f *filter) fail() {
	f.failed = true
	switch {
	case f.ended:
	case f.responding || f.answered:
		f.reset()
	default:
		f.SendLocalResponse(internalServerError, nil, nil, panicDetail)
	}
}
