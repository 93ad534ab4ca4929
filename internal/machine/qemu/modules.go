// SPDX-License-Identifier: MIT

package qemu

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/format/compressed"
)

// builtinList is the file in a folder of modules that names those which are part of the kernel itself, a path a line.
// Source: Documentation/kbuild/kbuild.rst of Linux.
const builtinList = "modules.builtin"

// maxModule is the longest module that is read, in bytes; those for virtio have less than a hundred thousand.
const maxModule = 16 << 20

// module is a module that a guest loads.
type module struct {
	name    string // with _ for each -, as the kernel says it
	content []byte // an ELF file, not packed
}

// noModuleError says that a kernel neither has a module built in nor beside it.
type noModuleError struct{ name string }

func (e *noModuleError) Error() string { return fmt.Sprintf("module %s: the kernel has none", e.name) }

// modules are those of one kernel.
type modules struct {
	folder  fs.FS
	version string            // of the kernel
	builtin map[string]bool   // by name
	files   map[string]string // path in folder by name
}

// openModules lists the modules of a kernel without opening any.
func openModules(folder fs.FS, version string) (*modules, error) {
	m := &modules{folder: folder, version: version, builtin: map[string]bool{}, files: map[string]string{}}
	list, err := folder.Open(builtinList)
	if err != nil {
		return nil, fmt.Errorf("modules of kernel %s: %w", version, err)
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		m.builtin[moduleName(lines.Text())] = true
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("modules of kernel %s: %s: %w", version, builtinList, err)
	}
	err = fs.WalkDir(folder, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(path.Base(p), ".ko") {
			m.files[moduleName(p)] = p
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("modules of kernel %s: %w", version, err)
	}
	return m, nil
}

// moduleName is the name of the module in a file: "virtio_rng" for kernel/drivers/char/hw_random/virtio-rng.ko.xz.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".")
	return strings.ReplaceAll(name, "-", "_")
}

// order gives the modules that have to be loaded for the wanted ones, each after those it depends on. What is built in
// needs no loading. A module that is nowhere is a *noModuleError.
func (m *modules) order(wanted ...string) ([]module, error) {
	var ordered []module
	state := map[string]int{} // 0 unseen, 1 being added, 2 added
	var add func(name string) error
	add = func(name string) error {
		name = strings.ReplaceAll(name, "-", "_")
		switch {
		case m.builtin[name] || state[name] == 2:
			return nil
		case state[name] == 1:
			return fmt.Errorf("module %s: depends on itself", name)
		}
		state[name] = 1
		loaded, depends, err := m.read(name)
		if err != nil {
			return err
		}
		for _, d := range depends {
			if err := add(d); err != nil {
				return fmt.Errorf("for module %s: %w", name, err)
			}
		}
		state[name] = 2
		ordered = append(ordered, loaded)
		return nil
	}
	for _, name := range wanted {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

// read reads a module and what it says it depends on.
func (m *modules) read(name string) (module, []string, error) {
	file, ok := m.files[name]
	if !ok {
		return module{}, nil, &noModuleError{name}
	}
	content, err := m.unpack(file)
	if err != nil {
		return module{}, nil, fmt.Errorf("module %s: %w", file, err)
	}
	info, err := modinfo(content)
	if err != nil {
		return module{}, nil, fmt.Errorf("module %s: %w", file, err)
	}
	if magic, _, _ := strings.Cut(info["vermagic"], " "); magic != m.version {
		return module{}, nil, fmt.Errorf("module %s: it is for kernel %q, not %q", file, magic, m.version)
	}
	depends := strings.Split(info["depends"], ",")
	return module{name, content}, slices.DeleteFunc(depends, func(d string) bool { return d == "" }), nil
}

// unpack gives the bytes of a module, however its file is packed.
func (m *modules) unpack(file string) ([]byte, error) {
	if ext := path.Ext(file); ext != ".ko" && ext != ".xz" && ext != ".gz" {
		return nil, fmt.Errorf("packed in a way that is not read here: %s", ext)
	}
	f, err := m.folder.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	packed, err := io.ReadAll(io.LimitReader(f, maxModule+1))
	if err != nil {
		return nil, err
	}
	if len(packed) > maxModule {
		return nil, fmt.Errorf("more than %d bytes", maxModule)
	}
	r, _, err := compressed.NewReader(bytes.NewReader(packed), maxModule)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// modinfo reads what a module says of itself: NAME=value, each ended by NUL, in the section .modinfo. Source:
// include/linux/moduleparam.h of Linux, __MODULE_INFO.
func modinfo(content []byte) (map[string]string, error) {
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	section := f.Section(".modinfo")
	if section == nil || section.Size > uint64(len(content)) {
		return nil, errors.New("no section .modinfo")
	}
	text, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf(".modinfo: %w", err)
	}
	info := map[string]string{}
	for entry := range strings.SplitSeq(string(text), "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			info[name] = value
		}
	}
	return info, nil
}
