// SPDX-License-Identifier: MIT

package disk

import (
	"fmt"
	"strconv"
)

// Command is a program to run: its arguments, the first of which names it, and what its environment has beside PATH.
type Command struct {
	Argv []string
	Env  []string
}

// Ext3 is the command that makes the file system of an image, which has its size and its label already, and fills it with
// what is in a folder: names, modes, owners and times as they are there, those of the last access and of the last change
// too. The latter nobody can set in a folder; but for it the same folder makes the same bytes: the identifier, which is a
// UUID, is given, as is what is random otherwise, and no time of the day goes in.
//
// It is ext3 rather than ext4 because the features of ext4 differ between versions of mke2fs, and early kernels lack
// them. The number of blocks is given, since an old mke2fs does not look at what is left behind the offset.
func (l Layout) Ext3(image, folder, identifier string) Command {
	return Command{
		Argv: []string{
			"mke2fs", "-q", "-F", "-t", "ext3", "-b", strconv.Itoa(Block), "-I", "256", "-m", "0", "-U", identifier,
			"-E", fmt.Sprintf("offset=%d,hash_seed=%s,root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard",
				l.Start, identifier),
			"-d", folder, image, strconv.FormatInt(l.Blocks(), 10),
		},
		// The time of all that mke2fs makes itself; 0 stands for no such time, so that it is the second after.
		Env: []string{"E2FSPROGS_FAKE_TIME=1", "MKE2FS_CONFIG=/dev/null"},
	}
}
