package shared

// Scheduler brings functions to the thread of a stream. It may be used on any thread, also after the stream's end.
type Scheduler interface {
	// Schedule has a function called on the stream's thread, unless the stream ends before.
	Schedule(task func())
}
