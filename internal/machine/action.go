// SPDX-License-Identifier: MIT

package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/reapi"
)

// Walker is the program an Action runs: the walker of steps that any machine provides. It is not an input.
const Walker = "rung-walk"

// isaNames are the architectures by Go's name, with the value of the platform property ISA. Source of the values: the
// platform lexicon beside the specification of the API, build/bazel/remote/execution/v2/platform.md.
var isaNames = map[string]string{
	"386":     "x86-32",
	"amd64":   "x86-64",
	"arm64":   "arm-a64",
	"riscv64": "rv64g",
}

// The names of the platform properties of an Action; the limits are decimal numbers of bytes or files.
const (
	propertyOS     = "OSFamily"
	propertyISA    = "ISA"
	propertyCalls  = "rung-calls"   // "any" or "seed"
	propertyDev    = "rung-devices" // "yes", or absent
	propertyFiles  = "rung-files"
	propertyMemory = "rung-memory"
	propertyOutput = "rung-output"
)

const (
	callsAny   = "any" // CallsAny as a property: the API has no empty values
	devicesYes = "yes" // Devices as a property
)

// maxNodes is the largest input tree FromAction reads.
const maxNodes = 1 << 20

// Action is a job as messages of the Remote Execution API.
type Action struct {
	Digest      digest.Digest // of Message: the key of the action cache
	Message     []byte        // the Action
	Command     []byte        // the Command
	Directories [][]byte      // the input root's Merkle tree, the root last
}

// step is a Step as an argument of the walker, in the order and with the names it has there.
type step struct {
	Argv  []string      `json:"argv"`
	Limit time.Duration `json:"limit_ns"`
	Group int           `json:"group,omitempty"`
}

// Action maps the job one to one onto an Action of the Remote Execution API. FromAction is the way back.
//
//	Command.arguments      "rung-walk", then a step each: {"argv":["hex0","a","b"],"limit_ns":1000000000,"group":1},
//	                       JSON without blanks, without "group" where it is 0, nothing escaped that need not be
//	Command.environment    Env
//	Command.output_paths   Exports
//	Action.input_root      Inputs, which Validate wants normal: a Directory has the execute bit only
//	Action.timeout         Limits.Time
//	Action.platform        OSFamily=linux, ISA, rung-calls, rung-devices where there are any, rung-files,
//	                       rung-memory, rung-output
//
// Command.platform says the same as Action.platform, for servers from before API 2.2. Name is not part of it.
func (j Job) Action() (Action, error) {
	if err := j.Validate(); err != nil {
		return Action{}, err
	}
	root, directories, err := reapi.Directories(j.Inputs)
	if err != nil {
		return Action{}, fmt.Errorf("job %s: %w", j.Name, err)
	}
	command := reapi.Command{Arguments: []string{Walker}, OutputPaths: j.Exports, Platform: j.platform()}
	for _, s := range j.Steps {
		text, err := marshal(step(s))
		if err != nil {
			return Action{}, fmt.Errorf("job %s: %w", j.Name, err)
		}
		command.Arguments = append(command.Arguments, text)
	}
	for _, v := range j.Env {
		name, value, _ := strings.Cut(v, "=")
		command.Environment = append(command.Environment, reapi.Pair{Name: name, Value: value})
	}
	a := Action{Directories: directories}
	if a.Command, err = command.Encode(); err != nil {
		return Action{}, fmt.Errorf("job %s: %w", j.Name, err)
	}
	action := reapi.Action{
		Command: digest.Of(a.Command), InputRoot: root, Timeout: j.Limits.Time, Platform: command.Platform,
	}
	if a.Message, err = action.Encode(); err != nil {
		return Action{}, fmt.Errorf("job %s: %w", j.Name, err)
	}
	a.Digest = digest.Of(a.Message)
	return a, nil
}

// Digest is the digest of the job's Action: the key of the action cache, here and on a cluster.
func (j Job) Digest() (digest.Digest, error) {
	a, err := j.Action()
	return a.Digest, err
}

func (j Job) platform() []reapi.Pair {
	calls := string(j.Calls)
	if j.Calls == CallsAny {
		calls = callsAny
	}
	var devices []reapi.Pair
	if j.Devices {
		devices = []reapi.Pair{{Name: propertyDev, Value: devicesYes}}
	}
	return slices.Concat([]reapi.Pair{
		{Name: propertyISA, Value: isaNames[j.Arch]},
		{Name: propertyOS, Value: "linux"},
		{Name: propertyCalls, Value: calls},
	}, devices, []reapi.Pair{
		{Name: propertyFiles, Value: strconv.FormatInt(j.Limits.Files, 10)},
		{Name: propertyMemory, Value: strconv.FormatInt(j.Limits.Memory, 10)},
		{Name: propertyOutput, Value: strconv.FormatInt(j.Limits.Output, 10)},
	})
}

// marshal gives the step's one text.
func marshal(s step) (string, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "", err
	}
	return strings.TrimSuffix(buf.String(), "\n"), nil
}

// FromAction gives the job whose Action has the digest, without a name. Read gives a message by its digest. It refuses
// whatever Action does not write: taking the digest of the job again gives the same one.
func FromAction(d digest.Digest, read func(digest.Digest) ([]byte, error)) (Job, error) {
	j, err := fromAction(d, read)
	if err != nil {
		return Job{}, fmt.Errorf("action %s: %w", d.Short(), err)
	}
	again, err := j.Digest()
	if err != nil {
		return Job{}, fmt.Errorf("action %s: %w", d.Short(), err)
	}
	if again != d {
		return Job{}, fault.New(fault.Mismatch, "action %s: not an action of rung: it would be %s", d.Short(), again.Short())
	}
	return j, nil
}

func fromAction(d digest.Digest, read func(digest.Digest) ([]byte, error)) (Job, error) {
	message, err := read(d)
	if err != nil {
		return Job{}, err
	}
	action, err := reapi.DecodeAction(message)
	if err != nil {
		return Job{}, err
	}
	if message, err = read(action.Command); err != nil {
		return Job{}, err
	}
	command, err := reapi.DecodeCommand(message)
	if err != nil {
		return Job{}, err
	}
	root, err := reapi.Tree(action.InputRoot, maxNodes, read)
	if err != nil {
		return Job{}, err
	}
	j := Job{Exports: command.OutputPaths, Limits: Limits{Time: action.Timeout}}
	if j.Inputs, err = Normal(root); err != nil {
		return Job{}, err
	}
	for _, v := range command.Environment {
		j.Env = append(j.Env, v.Name+"="+v.Value)
	}
	if j.Steps, err = stepsOf(command.Arguments); err != nil {
		return Job{}, err
	}
	return j, j.setPlatform(action.Platform)
}

func stepsOf(arguments []string) ([]Step, error) {
	if len(arguments) < 2 || arguments[0] != Walker {
		return nil, fault.New(fault.Usage, "arguments %.80q: want %s and steps", arguments, Walker)
	}
	steps := make([]Step, len(arguments)-1)
	for i, text := range arguments[1:] {
		var s step
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
		if again, err := marshal(s); err != nil || again != text {
			return nil, fault.New(fault.Usage, "step %d: %.80q is not the form a step has", i, text)
		}
		steps[i] = Step(s)
	}
	return steps, nil
}

func (j *Job) setPlatform(properties []reapi.Pair) error {
	limits := map[string]*int64{
		propertyFiles: &j.Limits.Files, propertyMemory: &j.Limits.Memory, propertyOutput: &j.Limits.Output,
	}
	for _, p := range properties {
		switch {
		case p.Name == propertyISA:
			j.Arch = archOf(p.Value)
		case p.Name == propertyCalls && p.Value != callsAny:
			j.Calls = Calls(p.Value)
		case p.Name == propertyDev && p.Value == devicesYes:
			j.Devices = true
		case limits[p.Name] != nil:
			n, err := strconv.ParseInt(p.Value, 10, 64)
			if err != nil {
				return fmt.Errorf("platform property %s: %w", p.Name, err)
			}
			*limits[p.Name] = n
		case !slices.Contains([]string{propertyOS, propertyCalls}, p.Name):
			return fault.New(fault.Usage, "platform property %q is unknown", p.Name)
		}
	}
	return nil
}

// archOf is Go's name of an architecture, or "".
func archOf(isa string) string {
	for arch, name := range isaNames {
		if name == isa {
			return arch
		}
	}
	return ""
}
