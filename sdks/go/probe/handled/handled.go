// Package handled holds what the filter `identity` counts.
package handled

import "sync/atomic"

// Responses is how many response headers `identity` has handled in this loaded library, over all configurations.
var Responses atomic.Uint64
