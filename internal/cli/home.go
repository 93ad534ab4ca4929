// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/rung-build/rung/internal/store"
)

// home is the folder that keeps everything between runs: the store, and in it the ledger.
type home struct {
	disk   *store.Disk
	ledger nowhere
}

// openHome opens the store and the ledger of the command line's choice; Main closes them. Damage that no error speaks of
// is a note.
func (a *app) openHome(alone bool) (*home, error) {
	dir, err := a.storeFolder()
	if err != nil {
		return nil, err
	}
	disk, err := store.Open(dir, store.Options{Alone: alone, Report: func(err error) { a.say("note: %v", err) }})
	if err != nil {
		return nil, err
	}
	a.home = &home{disk: disk}
	return a.home, nil
}

func (a *app) close() {
	if a.home != nil {
		a.home.disk.Close()
	}
}
