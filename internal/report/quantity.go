// SPDX-License-Identifier: MIT

package report

import (
	"fmt"
	"time"
)

// Size is a number of bytes for people: "229 B", "31.4 KiB", "1.0 MiB".
func Size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

var units = [...]string{"B", "KiB", "MiB", "GiB", "TiB"}

// Span is a duration for people: "0.07 s", "12.3 s", "2 m 05 s".
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	whole := d.Round(time.Second)
	return fmt.Sprintf("%d m %02d s", whole/time.Minute, whole%time.Minute/time.Second)
}

// count is a number of things, in words that agree with it.
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
