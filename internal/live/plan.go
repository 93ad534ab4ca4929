// SPDX-License-Identifier: MIT

package live

import (
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Plan is what a command line makes of a checkout. It is a function of the two and of which distfiles are held: the same
// come to the same plan, on every host.
type Plan struct {
	Options  Options
	Checkout *Checkout

	Config     manifest.Config // what bootstrap.cfg says; empty with Options.NoCreateConfig
	Scripts    []RootScripts   // of the roots that run, "steps" first
	Early      []distfile.File // that are in the medium that boots
	External   []distfile.File // that are in the external folder or on a second disk
	Payload    []distfile.File // that are in the payload
	Media      []Medium
	Command    Command  // starts the guest; no Argv on bare metal
	Directions []string // for a person, of bare metal
	Marker     string   // the last words of a console after a run that went well
}

// RootScripts are the scripts that a guest generates for a root.
type RootScripts struct {
	Root string // "steps", "steps-NAME"
	manifest.Scripts
}

// Shape is what a medium is.
type Shape string

// The shapes.
const (
	Folder  Shape = "folder"  // a root file system, to be run in place
	Image   Shape = "image"   // builder-hex0 with its stream
	Disk    Shape = "disk"    // an msdos label with one ext3
	Payload Shape = "payload" // raw distfiles
)

// Medium is something that a guest is given.
type Medium struct {
	Name    string // of the file or folder in the target
	Shape   Shape
	Tree    Tree
	Bytes   int64 // of the content, as far as sizes are known
	Size    int64 // of the file, in bytes, padding and truncation with it; -1 where a distfile's size is not known
	Unknown int   // distfiles of which the host knows no size
}

// Command is a program to start.
type Command struct {
	Argv []string
	Env  []string // all of it, as KEY=VALUE
	Root bool     // only root may
}

// Plan makes the plan of a checkout. It fails with fault.Usage where options contradict each other or the checkout, or
// where a manifest stops the guest's script generator; Check tells all that is wrong.
func (c *Checkout) Plan(o Options, held Distfiles) (*Plan, error) { return plan(c, o, held) }
