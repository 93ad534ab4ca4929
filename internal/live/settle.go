// SPDX-License-Identifier: MIT

package live

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"github.com/rung-build/rung/internal/format/disk"
)

// Offsets and sizes of ext3, in bytes, from "The Second Extended Filesystem" and the kernel's documentation of ext4: the
// superblock, the descriptors of groups in the block behind it, and inodes. All numbers have the lowest byte first.
const (
	superAt    = 1024
	superSize  = 264
	superMagic = 0xEF53
	inodeSize  = 256
	groupSize  = 32
	maxGroups  = 1 << 14 // 2 TiB in groups of 128 MiB
)

// settle sets the time of the last change of every inode that is in use, which mke2fs takes from the folder that it
// copies and nobody can set there: the one thing that is different each time the same file system is made. Ext3 has no
// sums over inodes, so that nothing else changes.
func settle(name string, l disk.Layout, time uint32) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	super := make([]byte, superSize)
	if _, err := f.ReadAt(super, l.Start+superAt); err != nil {
		return err
	}
	number := func(at int) int64 { return int64(binary.LittleEndian.Uint32(super[at:])) }
	perGroup := number(40)
	if binary.LittleEndian.Uint16(super[56:]) != superMagic || number(24) != 2 || perGroup == 0 ||
		perGroup > 8*disk.Block ||
		binary.LittleEndian.Uint16(super[88:]) != inodeSize || number(0)/perGroup > maxGroups {
		return fmt.Errorf("%s: no ext3 as mke2fs makes it", name)
	}
	groups := make([]byte, number(0)/perGroup*groupSize)
	if _, err := f.ReadAt(groups, l.Start+disk.Block); err != nil {
		return err
	}
	table := make([]byte, perGroup*inodeSize)
	for ; len(groups) > 0; groups = groups[groupSize:] {
		if int64(binary.LittleEndian.Uint16(groups[14:])) == perGroup { // all of them free
			continue
		}
		at := l.Start + int64(binary.LittleEndian.Uint32(groups[8:]))*disk.Block
		if _, err := f.ReadAt(table, at); err != nil {
			return err
		}
		for inode := range slices.Chunk(table, inodeSize) {
			if binary.LittleEndian.Uint16(inode) != 0 { // a mode: in use
				binary.LittleEndian.PutUint32(inode[12:], time)
				binary.LittleEndian.PutUint32(inode[132:], 0) // its nanoseconds
			}
		}
		if _, err := f.WriteAt(table, at); err != nil {
			return err
		}
	}
	return nil
}
