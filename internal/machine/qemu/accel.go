// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
)

// The accelerators: what runs a guest's instructions.
const (
	accelKVM = "kvm" // this host's processor
	accelTCG = "tcg" // QEMU's translator, which works anywhere
)

// accel is an accelerator and a sentence that says why it is that one.
type accel struct{ name, why string }

// probeTime is how long the guest of a few instructions may take. With a KVM that works it takes a tenth of a second.
const probeTime = 5 * time.Second

// Files that are looked at.
const (
	kvmDevice  = "/dev/kvm"
	bootIDFile = "/proc/sys/kernel/random/boot_id" // another one after each start of the host
	answerFile = "qemu-kvm.json"
)

// chooseAccel gives the accelerator that is asked for, or else KVM where it works and TCG where not. What was found out
// is kept in folder until the next start of the host, unless folder is "".
func chooseAccel(ctx context.Context, asked, program, version, folder string) (accel, error) {
	switch asked {
	case "":
	case accelTCG:
		return accel{accelTCG, "asked for"}, nil
	case accelKVM:
		if err := canOpenKVM(); err != nil {
			return accel{}, fault.New(fault.Unavailable, "qemu: --accel kvm: %w", err).
				WithHint("--accel tcg needs nothing of the host; KVM wants /dev/kvm, readable and writable for this user")
		}
		return accel{accelKVM, "asked for, and not tried first"}, nil
	default:
		return accel{}, fault.New(fault.Usage, "--accel %s: want kvm or tcg", asked)
	}
	if err := canOpenKVM(); err != nil {
		return accel{accelTCG, "there is no KVM: " + err.Error()}, nil
	}
	boot, err := os.ReadFile(bootIDFile)
	if err != nil {
		return accel{}, fmt.Errorf("qemu: which start of this host it is: %w", err)
	}
	question := answer{Boot: string(bytes.TrimSpace(boot)), QEMU: version}
	if known, ok := recall(folder, question); ok {
		return known.accel(), nil
	}
	err = probe(ctx, program, accelKVM, probeTime)
	if ctx.Err() != nil {
		return accel{}, fault.New(fault.Interrupted, "qemu: trying KVM: %w", context.Cause(ctx))
	}
	if err != nil {
		question.Broken = err.Error()
	}
	remember(folder, question)
	return question.accel(), nil
}

func canOpenKVM() error {
	fd, err := unix.Open(kvmDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", kvmDevice, err)
	}
	return unix.Close(fd)
}

// answer is what is kept of a probe.
type answer struct {
	Boot   string `json:"boot_id"`
	QEMU   string `json:"qemu"`
	Broken string `json:"broken,omitempty"` // why KVM cannot be used; "" where it can
}

func (a answer) accel() accel {
	if a.Broken != "" {
		return accel{accelTCG, "KVM is there and does not work: " + a.Broken}
	}
	return accel{accelKVM, "a guest of a few instructions has run with it"}
}

// recall gives what was found out since this start of the host with this QEMU.
func recall(folder string, question answer) (answer, bool) {
	if folder == "" {
		return answer{}, false
	}
	text, err := os.ReadFile(filepath.Join(folder, answerFile))
	var known answer
	if err != nil || json.Unmarshal(text, &known) != nil {
		return answer{}, false
	}
	return known, known.Boot == question.Boot && known.QEMU == question.QEMU
}

// remember keeps an answer. Where that fails, KVM is tried again the next time.
func remember(folder string, a answer) {
	if folder == "" {
		return
	}
	text, err := json.Marshal(a)
	if err != nil {
		return
	}
	if os.MkdirAll(folder, 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(folder, answerFile+"-")
	if err != nil {
		return
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(folder, answerFile))
	}
	if err != nil {
		os.Remove(f.Name())
	}
}

// debugExit is the device by which the probe ends QEMU: a byte v written to its port ends it with the status 2v + 1.
const debugExit = "isa-debug-exit,iobase=0xf4,iosize=1"

// probeStatus is the exit status of a probe that came to its end.
const probeStatus = 2*0x10 + 1

// probe runs a guest of a few instructions, and tells why it did not come to its end in time.
func probe(ctx context.Context, program, name string, limit time.Duration) error {
	firmware, err := probeFile()
	if err != nil {
		return fmt.Errorf("preparing a guest of a few instructions: %w", err)
	}
	p, err := start(program, []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", "-cpu", processor, "-m", "16",
		"-accel", name, "-bios", inherited(firstFile), "-device", debugExit,
	}, nil, firmware)
	if err != nil {
		return err
	}
	over, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-p.ended:
	case <-over.Done():
	}
	p.kill()
	how, err := p.wait()
	switch {
	case err != nil:
		return err
	case over.Err() != nil:
		return fmt.Errorf("a guest of a few instructions did not come to its end in %v", limit)
	case p.cmd.ProcessState.ExitCode() != probeStatus:
		return fmt.Errorf("a guest of a few instructions ended QEMU with %s", how)
	}
	return nil
}

// inherited is the name of a file by the number that it has in QEMU.
func inherited(number int) string { return "/proc/self/fd/" + strconv.Itoa(number) }

// probeFile holds the firmware of the probe, in no folder.
func probeFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("rung-probe", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "probe")
	if _, err := f.Write(probeImage()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
