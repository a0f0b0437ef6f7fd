//go:build sdk_1_37

package abi

// reset ends the stream as well as this ABI can: the host takes the error in place of the response if nothing of that has
// left yet, and resets the stream if something has.
func (f *filter) reset() {
	f.SendLocalResponse(internalServerError, nil, nil, panicDetail)
}
