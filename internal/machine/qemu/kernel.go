// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// kernel is a Linux kernel in a file.
type kernel struct {
	path    string // of the image
	version string // as uname -r says it: "6.1.0-56-cloud-amd64"; "" where neither the image nor its name tells
	modules string // the folder of its modules, with modules.builtin; "" where there is none
}

// Offsets and values of kernel images. Sources, of Linux: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header";
// Documentation/arch/arm64/booting.rst; Documentation/arch/riscv/boot-image-header.rst; drivers/firmware/efi/libstub/zboot-header.S.
const (
	bootFlagAt   = 0x1fe
	bootFlag     = 0xaa55
	headerAt     = 0x202
	headerMagic  = "HdrS"
	protocolAt   = 0x206
	protocolLoad = 0x20c // 2.12, the first with xloadflags
	versionAt    = 0x20e // where the version stands, from 0x200 on
	loadFlagsAt  = 0x236
	loadFlag64   = 1 << 0 // XLF_KERNEL_64
	magicAt      = 56
	magicARM64   = "ARM\x64"
	magicRISCV   = "RSC\x05"
	zbootAt      = 4
	zbootMagic   = "zimg"
)

// maxHead is how much of an image is read: the setup code of a bzImage, in which the version stands, has at most 64
// sectors and the sector before them.
const maxHead = 65 * 512

// openKernel looks at the image of a kernel and refuses one that a machine of the architecture cannot start.
func openKernel(path, arch string) (kernel, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kernel{}, fault.New(fault.NotFound, "kernel %s: no such file", path)
	case err != nil:
		return kernel{}, fault.New(fault.Unavailable, "kernel %s: %w", path, err).
			WithHint("make it readable for this user, or name a copy that is")
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, maxHead))
	if err != nil {
		return kernel{}, fault.New(fault.Unavailable, "kernel %s: %w", path, err)
	}
	of, version, err := readHead(head)
	if err != nil {
		return kernel{}, fault.New(fault.Usage, "kernel %s: %w", path, err)
	}
	if of != arch {
		return kernel{}, fault.New(fault.Unavailable, "kernel %s: it is for %s, not for %s", path, of, arch)
	}
	k := kernel{path: path, version: version}
	if k.version == "" {
		k.version = versionOfName(path)
	}
	k.modules = modulesOf(path, k.version)
	return k, nil
}

// readHead tells the architecture and the version of an image by its first bytes.
func readHead(head []byte) (arch, version string, err error) {
	at := func(offset int, magic string) bool {
		return len(head) >= offset+len(magic) && string(head[offset:offset+len(magic)]) == magic
	}
	switch {
	case len(head) > loadFlagsAt+2 && at(headerAt, headerMagic) && binary.LittleEndian.Uint16(head[bootFlagAt:]) == bootFlag:
		return readBzImage(head)
	case at(zbootAt, zbootMagic):
		return "", "", errors.New("an EFI program with a packed kernel in it, which QEMU cannot start; want the plain image")
	case at(magicAt, magicARM64):
		return "arm64", "", nil
	case at(magicAt, magicRISCV):
		return "riscv64", "", nil
	case at(0, "\x1f\x8b"):
		return "", "", errors.New("packed with gzip; unpack it first")
	case at(0, "\x7fELF"):
		return "", "", errors.New("an ELF file such as vmlinux; want the image that boots, such as bzImage")
	}
	return "", "", errors.New("not the image of a Linux kernel")
}

func readBzImage(head []byte) (arch, version string, err error) {
	protocol := binary.LittleEndian.Uint16(head[protocolAt:])
	arch = "386"
	if protocol >= protocolLoad && binary.LittleEndian.Uint16(head[loadFlagsAt:])&loadFlag64 != 0 {
		arch = "amd64"
	}
	at := int(binary.LittleEndian.Uint16(head[versionAt:])) + 0x200
	if at == 0x200 || at >= len(head) {
		return arch, "", nil
	}
	text, _, found := bytes.Cut(head[at:], []byte{0})
	if !found {
		return "", "", fmt.Errorf("its header says that a version stands at %#x, and none ends after it", at)
	}
	version, _, _ = strings.Cut(string(text), " ") // who made it, where and when follows
	return arch, version, nil
}

// versionOfName is the version that the name of an image has: boot/vmlinuz-VERSION or modules/VERSION/vmlinuz.
func versionOfName(path string) string {
	if _, version, ok := strings.Cut(filepath.Base(path), "-"); ok {
		return version
	}
	if dir := filepath.Dir(path); filepath.Base(filepath.Dir(dir)) == "modules" {
		return filepath.Base(dir)
	}
	return ""
}

// modulesOf is the folder of the modules of a kernel, or "". The one beside the kernel counts before the one of the host.
func modulesOf(path, version string) string {
	if version == "" {
		return ""
	}
	dir := filepath.Dir(path)
	root := filepath.Dir(dir) // of a package, where the image is boot/vmlinuz-VERSION
	for _, folder := range []string{
		dir,
		filepath.Join(root, "lib/modules", version),
		filepath.Join(root, "usr/lib/modules", version),
		filepath.Join("/lib/modules", version),
	} {
		if _, err := os.Stat(filepath.Join(folder, builtinList)); err == nil {
			return folder
		}
	}
	return ""
}

// findKernel finds the newest kernel of the host that this user can read, or else the newest one in a folder into which
// a package was unpacked.
func findKernel(host, folder, arch string) (kernel, error) {
	var refused []string
	for _, pattern := range []string{
		filepath.Join(host, "boot/vmlinuz-*"),
		filepath.Join(host, "usr/lib/modules/*/vmlinuz"),
		filepath.Join(folder, "boot/vmlinuz-*"),
		filepath.Join(folder, "usr/lib/modules/*/vmlinuz"),
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return kernel{}, fmt.Errorf("kernel %s: %w", pattern, err)
		}
		slices.SortStableFunc(paths, func(a, b string) int { return compareVersions(versionOfName(b), versionOfName(a)) })
		for _, path := range paths {
			k, err := openKernel(path, arch)
			if err == nil {
				return k, nil
			}
			refused = append(refused, err.Error())
		}
	}
	err := fault.New(fault.Unavailable, "kernel: no Linux kernel for %s in %s/boot, %[2]s/usr/lib/modules or %s",
		arch, strings.TrimSuffix(host, "/"), folder)
	if len(refused) > 0 {
		err = fault.New(fault.Unavailable, "kernel: none that can be used: %s", strings.Join(refused, "; "))
	}
	return kernel{}, err.WithHint("%s", kernelHint(folder, arch))
}

// kernelHint says how to get a kernel without installing one.
func kernelHint(folder, arch string) string {
	if arch != runtime.GOARCH {
		return "name a kernel for " + arch + " with --kernel FILE"
	}
	const unpack = "name one with --kernel FILE; or, on Debian, in an empty folder: apt-get download " +
		"$(apt-cache depends linux-image-cloud-%s | sed -n 's/.*Depends: //p') && dpkg-deb -x linux-image-*.deb %s"
	return fmt.Sprintf(unpack, arch, folder)
}

// compareVersions compares versions as people do: runs of digits are numbers.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		partA, partB := versionPart(a), versionPart(b)
		a, b = a[len(partA):], b[len(partB):]
		if isDigit(partA[0]) && isDigit(partB[0]) {
			partA, partB = strings.TrimLeft(partA, "0"), strings.TrimLeft(partB, "0")
			if c := len(partA) - len(partB); c != 0 {
				return c
			}
		}
		if c := strings.Compare(partA, partB); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// versionPart is the run of digits, or of anything else, that a version starts with.
func versionPart(v string) string {
	first := isDigit(v[0])
	if end := strings.IndexFunc(v, func(r rune) bool { return (r >= '0' && r <= '9') != first }); end > 0 {
		return v[:end]
	}
	return v
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
