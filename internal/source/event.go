// SPDX-License-Identifier: MIT

package source

import "time"

// Event is something that happens while files are fetched.
type Event interface{ event() }

// Trying says that a place is asked.
type Trying struct{ Name, Place string }

// Progress says how much of a file has arrived. It comes often.
type Progress struct {
	Name        string
	Done, Total int64 // bytes; Total is the declared size
}

// Retrying says that a place failed in a way that may pass, and is asked again after a pause.
type Retrying struct {
	Name, Place string
	Err         error
	Wait        time.Duration
}

// Refused says that a place did not do, and the next one is tried.
type Refused struct {
	Name, Place string
	Err         error
}

// Waiting says that another process fetches the file, and that this one waits for it.
type Waiting struct{ Name string }

// Finished says that a file was fetched, verified, unpacked and stored.
type Finished struct{ Fetched }

// Arrived says that Get brought a file, and verified it.
type Arrived struct {
	Name, Place string
	Size        int64 // bytes
}

func (Trying) event()   {}
func (Progress) event() {}
func (Retrying) event() {}
func (Refused) event()  {}
func (Waiting) event()  {}
func (Finished) event() {}
func (Arrived) event()  {}

func (f *Fetcher) tell(e Event) {
	if f.Watch == nil {
		return
	}
	f.watching.Lock()
	defer f.watching.Unlock()
	f.Watch(e)
}
