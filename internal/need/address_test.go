// SPDX-License-Identifier: MIT

package need_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/rung-build/rung/internal/need"
)

func TestRefused(t *testing.T) {
	address := strings.TrimPrefix(need.Refused(t), "http://")
	if c, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial(%s) = %v, %v; want a refusal", address, c, err)
	}
	if l, err := net.Listen("tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Listen(%s) = %v, %v; want the address to be in use", address, l, err)
	}
}
