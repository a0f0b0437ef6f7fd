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
	f.failed = true
	f.SendLocalResponse(internalServerError, nil, nil, panicDetail)
	return stop
}

// onResponse runs a callback for a response, unless it is the filter's own. After a panic the stream is reset.
func onResponse[S ~int32](f *filter, where string, stop S, run func() S) (status S) {
	if f.answered {
		return 0 // continue
	}
	if f.failed {
		return stop
	}
	if recovered(where, func() { status = run() }) {
		return status
	}
	f.failed = true
	f.reset()
	return stop
}
