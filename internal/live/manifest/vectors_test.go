// SPDX-License-Identifier: MIT

package manifest

import "strings"

// modes are the configurations of a first generation run that differ in what the manifest asks for, by mode.
func modes() map[string]map[string]string {
	return map[string]map[string]string{
		"kernel bootstrap": {"QEMU": "True", "KERNEL_BOOTSTRAP": "True", "DISK": "sda"},
		"qemu with kernel": {"QEMU": "True", "DISK": "sda1"},
		"chroot":           {"CHROOT": "True", "DISK": "sda1"},
		"bare metal":       {"BARE_METAL": "True", "KERNEL_BOOTSTRAP": "True", "DISK": "sdb1"},
	}
}

// configText is the bootstrap.cfg of a mode, with lines of more in place of its own.
func configText(mode map[string]string, more string) string {
	c := Config{{"ARCH", "x86"}, {"ARCH_DIR", "x86"}, {"FORCE_TIMESTAMPS", "False"}, {"CHROOT", "False"},
		{"UPDATE_CHECKSUMS", "False"}, {"JOBS", "2"}, {"SWAP_SIZE", "0"}, {"FINAL_JOBS", "2"}, {"INTERNAL_CI", "False"},
		{"INTERACTIVE", "False"}, {"QEMU", "False"}, {"BARE_METAL", "False"}, {"DISK", "sda"}, {"KERNEL_BOOTSTRAP", "False"},
		{"BUILD_KERNELS", "False"}, {"CONFIGURATOR", "False"}, {"MIRRORS", `"http://a/ http://b/"`}, {"MIRRORS_LEN", "2"}}
	for i, v := range c {
		if value, ok := mode[v.Name]; ok {
			c[i].Value = value
		}
	}
	for l := range strings.Lines(more) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "=")
		c[c.index(name)].Value = value
	}
	return c.Format()
}
