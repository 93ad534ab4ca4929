// SPDX-License-Identifier: MIT

package sandbox

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

func TestDiagnoseNamesTheSetting(t *testing.T) {
	tests := []struct {
		name, file, text string
		cause            error
		want             string
	}{
		{"no user namespaces", "proc/sys/user/max_user_namespaces", "0\n", unix.ENOSPC, "sysctl -w user.max_user_namespaces="},
		{"Debian", "proc/sys/kernel/unprivileged_userns_clone", "0\n", unix.EPERM, "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"Ubuntu", "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", unix.EACCES,
			"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"no network namespaces", "proc/sys/user/max_net_namespaces", "0\n", unix.ENOSPC, "sysctl -w user.max_net_namespaces="},
		{"too many", "proc/sys/user/max_user_namespaces", "100\n", unix.ENOSPC, "too many namespaces"},
		{"container", "proc/self/status", "Name:\trung\nSeccomp:\t2\nSeccomp_filters:\t1\n", unix.EPERM, "seccomp=unconfined"},
		{"something else", "proc/self/status", "Seccomp:\t0\n", unix.EPERM, "forbids namespaces"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host := fstest.MapFS{tt.file: {Data: []byte(tt.text)}}
			got := diagnose(host, errors.Join(tt.cause))
			if !strings.Contains(got, tt.want) || !strings.Contains(got, "--machine host") {
				t.Errorf("diagnose = %q; want %q in it, and the way out", got, tt.want)
			}
		})
	}
}
