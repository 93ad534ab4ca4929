// SPDX-License-Identifier: MIT

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// capabilities prints those the process has, and those it could get.
func capabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	bound := 0
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0); err == nil && has == 1 {
			bound++
		}
	}
	nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	fmt.Printf("capabilities %x, bounding set of %d, no_new_privs %d\n", data, bound, nnp)
	return nil
}
