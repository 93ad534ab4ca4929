// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"path/filepath"

	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/store"
)

// home is the folder that keeps everything between runs: the store, and in it the ledger.
type home struct {
	disk   *store.Disk
	ledger *ledger.Ledger
}

// openHome opens the store and the ledger of the command line's choice; Main closes them. Damage that no error speaks
// of is a note.
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
	if a.home.ledger, err = ledger.Open(filepath.Join(dir, "ledger")); err != nil {
		return nil, err
	}
	return a.home, nil
}

// runs is what the ledger holds, the oldest first.
func (h *home) runs(ctx context.Context) ([]ledger.Run, error) {
	var all []ledger.Run
	err := h.ledger.Read(func(run ledger.Run) error {
		all = append(all, run)
		return ctx.Err()
	})
	if err != nil {
		return nil, stopped(ctx, err)
	}
	return all, nil
}

func (a *app) close() {
	if a.home != nil {
		a.home.disk.Close()
	}
}
