// SPDX-License-Identifier: MIT

package live

import (
	"strconv"
	"strings"

	"github.com/rung-build/rung/internal/live/manifest"
)

// ArchDir is the folder that live-bootstrap's architecture has in stage0-posix and bootstrap-seeds.
func (o Options) ArchDir() string {
	if o.Arch == "amd64" {
		return "AMD64"
	}
	return o.Arch
}

// imports tells whether the guest can be given distfiles on a raw payload.
func (c *Checkout) imports() bool { return c.Generation != manifest.H || c.Shipped }

// payloadDisk tells whether distfiles come on a raw payload: where an importer is, all are external and no packages are
// (R5, R9).
func (c *Checkout) payloadDisk(o Options) bool {
	return c.imports() && o.KernelBootstrap() && o.ExternalSources && o.Repo == "" && o.Stage0Image == ""
}

// externalDisk tells whether there is a second disk with a file system.
func (c *Checkout) externalDisk(o Options) bool {
	return o.KernelBootstrap() && o.Stage0Image == "" && (o.Repo != "" || o.ExternalSources) && !c.payloadDisk(o)
}

// Config is bootstrap.cfg of a run: the one place that derives console, disk and predicates from the mode.
func (c *Checkout) Config(o Options) manifest.Config {
	if o.NoCreateConfig {
		return nil
	}
	var cfg manifest.Config
	set := func(name, value string) { cfg = append(cfg, manifest.Variable{Name: name, Value: value}) }
	flag := func(name string, value bool) { set(name, truth(value)) }
	inChroot := o.Mode == Chroot || o.Mode == Bwrap
	set("ARCH", o.Arch)
	set("ARCH_DIR", o.ArchDir())
	flag("FORCE_TIMESTAMPS", o.ForceTimestamps)
	flag("CHROOT", inChroot)
	flag("UPDATE_CHECKSUMS", o.UpdateChecksums)
	set("JOBS", strconv.Itoa(o.Cores))
	swap := o.Swap
	if inChroot {
		swap = 0
	}
	set("SWAP_SIZE", strconv.FormatInt(swap, 10))
	set("FINAL_JOBS", strconv.Itoa(o.Cores)) // R29
	if o.InternalCI == "" {
		flag("INTERNAL_CI", false)
	} else {
		set("INTERNAL_CI", o.InternalCI)
	}
	flag("INTERACTIVE", o.Interactive)
	if c.imports() {
		flag("PAYLOAD_REQUIRED", c.payloadDisk(o))
	}
	flag("QEMU", o.Mode == QEMU)
	flag("BARE_METAL", o.Mode == BareMetal || o.Mode == QEMU && o.Interactive)
	switch {
	case c.Generation == manifest.F1:
		flag("BUILD_GUIX_ALSO", o.BuildGuixAlso)
	case c.Generation == manifest.F2 && len(o.ExtraBuilds) > 0:
		set("EXTRA_BUILDS", strings.Join(o.ExtraBuilds, ","))
	}
	set("DISK", c.disk(o))
	flag("KERNEL_BOOTSTRAP", o.KernelBootstrap())
	flag("BUILD_KERNELS", o.UpdateChecksums || o.BuildKernels)
	flag("CONFIGURATOR", o.Configurator)
	if o.ExternalSources {
		return cfg
	}
	if len(o.Mirrors) > 0 {
		set("MIRRORS", `"`+strings.Join(o.Mirrors, " ")+`"`)
	}
	set("MIRRORS_LEN", strconv.Itoa(len(o.Mirrors)))
	return cfg
}

// disk is what the guest finds its disk as.
func (c *Checkout) disk(o Options) string {
	switch {
	case !o.KernelBootstrap():
		return "sda1"
	case c.externalDisk(o):
		return "sdb1"
	}
	return "sda"
}

func truth(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
