// SPDX-License-Identifier: MIT

package srcfs

import (
	"strings"
	"testing"
)

// TestCapacityCountsBothLimits: R1, R2: bytes and entries up to the hand-off to Fiwix, the host's and the guest's.
func TestCapacityCountsBothLimits(t *testing.T) {
	tr, _ := sample(t)
	c := CapacityOf(tr)
	// 7 files with 35 bytes, 4 folders, the root, and 3 folders and 3 files that the end of the stream makes
	if want := (Capacity{Bytes: 35, MaxBytes: 330_301_440, Entries: 18, MaxEntries: 14_332}); c != want {
		t.Errorf("CapacityOf = %+v; want %+v", c, want)
	}
	for _, test := range []struct {
		bytes, entries int64
		want           string
	}{
		{330_301_440 - 35, 14_332 - 18, ""},
		{330_301_440 - 34, 0, "330301441 bytes before the hand-off to Fiwix; builder-hex0 has room for 330301440"},
		{0, 14_332 - 17, "14333 files and folders before the hand-off to Fiwix; builder-hex0 has room for 14332"},
	} {
		got := ""
		more := c
		more.Bytes, more.Entries = more.Bytes+test.bytes, more.Entries+test.entries
		if err := more.Check(); err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("Check with %d bytes and %d entries more = %q; want %q", test.bytes, test.entries, got, test.want)
		}
	}
}
