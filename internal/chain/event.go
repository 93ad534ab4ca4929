// SPDX-License-Identifier: MIT

package chain

import (
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

// Event is one thing that happened in a run: one of the types below.
type Event interface{ event() }

// StageStarted tells that a machine begins with a stage.
type StageStarted struct {
	Stage string
	Steps int
}

// StepStarted tells that a step begins.
type StepStarted struct {
	Stage string
	Step  int // from 0
	Argv  []string
}

// StepDone tells what a step came to.
type StepDone struct {
	Stage  string
	Step   int // from 0
	Result machine.StepResult
}

// StepOutput is what a step printed, as it comes.
type StepOutput struct {
	Stage string
	Step  int // from 0
	Bytes []byte
}

// ConsoleOutput is what the console of the machine showed, as it comes: part of a line, or several.
type ConsoleOutput struct {
	Stage string
	Bytes []byte
}

// StageHealing tells that a stored result cannot be used, and that the stage runs again to replace it.
type StageHealing struct {
	Stage string
	Cause error // names the object that is missing or corrupt
}

// StageDone tells that a stage's exports are known and checked.
type StageDone struct{ Done }

// StageFailed tells that a stage failed. One that is not run because another failed is not told of.
type StageFailed struct {
	Stage string
	Err   error // as Run would return it
}

func (StageStarted) event()  {}
func (StepStarted) event()   {}
func (StepDone) event()      {}
func (StepOutput) event()    {}
func (ConsoleOutput) event() {}
func (StageHealing) event()  {}
func (StageDone) event()     {}
func (StageFailed) event()   {}

// Done is what a stage came to.
type Done struct {
	Stage   Stage
	Job     digest.Digest
	Hit     bool          // the stored result was taken, nothing ran
	Healed  error         // why a stored result could not be taken; nil where there was none, or it could
	Outputs tree.Tree     // normal, as machine.Normal says; content in the store
	Said    string        // what the last step printed, at most 4 KiB, where Stage.Says asks for it
	Run     ledger.Run    // the run that made the outputs: this one, or the one whose result was stored
	Wall    time.Duration // what the stage took this time
}

// Outcome is a chain climbed to its top.
type Outcome struct {
	Plan    *Plan
	Sources []Source // the distfiles that were used, in the order of their declarations
	Stages  []Done   // in the plan's order
	Wall    time.Duration
}
