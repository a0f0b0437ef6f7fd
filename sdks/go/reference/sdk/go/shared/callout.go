package shared

// HttpCalloutInitResult tells whether a callout was started.
type HttpCalloutInitResult uint32

// The numbers are the ABI's.
const (
	HttpCalloutInitSuccess HttpCalloutInitResult = iota
	HttpCalloutInitMissingRequiredHeaders
	HttpCalloutInitClusterNotFound
	HttpCalloutInitDuplicateCalloutId
	HttpCalloutInitCannotCreateRequest
)

// HttpCalloutResult tells how a callout ended.
type HttpCalloutResult uint32

// The numbers are the ABI's.
const (
	HttpCalloutSuccess HttpCalloutResult = iota
	HttpCalloutReset
	HttpCalloutExceedResponseBufferLimit
)

// HttpCalloutCallback is told how a callout ended.
type HttpCalloutCallback interface {
	// OnHttpCalloutDone is called once. Headers and body may be used during the call only.
	OnHttpCalloutDone(calloutID uint64, result HttpCalloutResult, headers [][2]HeaderValue, body []BodyChunk)
}
