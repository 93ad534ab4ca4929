// SPDX-License-Identifier: MIT

package chain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseSize reads a number of bytes: decimal digits and one of the units B, KiB, MiB, GiB, TiB, with nothing between.
// It refuses zero, signs, fractions, leading zeros and what does not fit 63 bits.
func ParseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "BKMGTi")
	shift, ok := map[string]uint{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[s[len(digits):]]
	if !ok {
		return 0, fmt.Errorf("size %q: want a number and a unit, such as 64KiB, 256MiB or 1GiB", s)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != digits {
		return 0, fmt.Errorf("size %q: want a whole number above 0 before the unit", s)
	}
	if n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("size %q: more than 63 bits hold", s)
	}
	return n << shift, nil
}

// ParseTime reads a duration above 0 as Go writes them: "10s", "1m30s", "250ms".
func ParseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("duration %q: want a number and a unit, such as 250ms, 10s or 2m", s)
	}
	if d <= 0 {
		return 0, fmt.Errorf("duration %q: want more than 0", s)
	}
	return d, nil
}
