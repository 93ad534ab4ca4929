// SPDX-License-Identifier: MIT

// Package disk lays out raw disk images with one file system: an msdos label, an unpartitioned head, one primary
// partition of Linux from there to the end, and in it an ext3 that mke2fs fills from a folder, without root and the same
// wherever it runs.
//
// The label is ours; the file system is made by mke2fs, whose command line this package gives and the caller runs:
// nothing else writes an ext3 that e2fsck and old kernels agree with. Left out on purpose: more than one partition, GPT,
// and disks beyond the 2 TiB of an msdos label.
//
// Specification: the layout of a master boot record as in fdisk and parted (UEFI 2.10, section 5.2.1); mke2fs(8).
package disk

import (
	"encoding/binary"
	"fmt"
)

// Sector is the unit of a label, in bytes.
const Sector = 512

// The heads: what lies before the partition, in bytes. A disk that is booted keeps its boot image there.
const (
	Head     = 1 << 20
	BootHead = 1 << 30
)

// Block is the unit of the file system, in bytes.
const Block = 4096

// minimum is the smallest partition that mke2fs makes a useful ext3 in, with its journal.
const minimum = 8 << 20

// Type is the type of the partition: Linux.
const Type = 0x83

// Layout is a disk with one partition, in bytes. Make one with New.
type Layout struct {
	Size  int64 // of the disk
	Start int64 // of the partition, which reaches to the end
}

// New checks a layout: whole sectors, a partition that starts on a block and has room for a file system, and no more
// sectors than a label can count.
func New(size, head int64) (Layout, error) {
	switch {
	case size%Sector != 0:
		return Layout{}, fmt.Errorf("disk: %d bytes are not whole sectors of %d", size, Sector)
	case head < Sector || head%Block != 0:
		return Layout{}, fmt.Errorf("disk: a partition cannot start at byte %d", head)
	case size-head < minimum:
		return Layout{}, fmt.Errorf("disk: %d bytes leave %d behind a head of %d; a file system needs %d",
			size, max(size-head, 0), head, int64(minimum))
	case size/Sector > 1<<32-1:
		return Layout{}, fmt.Errorf("disk: %d bytes are more than an msdos label can count", size)
	}
	return Layout{Size: size, Start: head}, nil
}

// Blocks is the size of the file system, in blocks.
func (l Layout) Blocks() int64 { return (l.Size - l.Start) / Block }

// Offsets into a master boot record.
const (
	signatureAt = 440 // four bytes that tell disks apart
	entryAt     = 446 // of the first of four partitions, 16 bytes each
	entrySize   = 16
	entries     = 4
	endAt       = 510 // 55 AA
)

// Label is the first sector. The signature tells the disk from others; it is the caller's to choose.
func (l Layout) Label(signature uint32) [Sector]byte {
	var s [Sector]byte
	binary.LittleEndian.PutUint32(s[signatureAt:], signature)
	e := s[entryAt : entryAt+entrySize]
	first, count := uint32(l.Start/Sector), uint32((l.Size-l.Start)/Sector)
	e[4] = Type
	putCHS(e[1:4], first)
	putCHS(e[5:8], first+count-1)
	binary.LittleEndian.PutUint32(e[8:], first)
	binary.LittleEndian.PutUint32(e[12:], count)
	s[endAt], s[endAt+1] = 0x55, 0xaa
	return s
}

// The geometry that everybody assumes since disks have none.
const (
	headsPerCylinder = 255
	sectorsPerTrack  = 63
	lastCylinder     = 1023
)

// putCHS writes a sector's number as cylinder, head and sector; one beyond the last cylinder has the largest address.
func putCHS(to []byte, sector uint32) {
	cylinder := sector / (headsPerCylinder * sectorsPerTrack)
	head := sector / sectorsPerTrack % headsPerCylinder
	in := sector%sectorsPerTrack + 1
	if cylinder > lastCylinder {
		cylinder, head, in = lastCylinder, headsPerCylinder-1, sectorsPerTrack
	}
	to[0], to[1], to[2] = byte(head), byte(in)|byte(cylinder>>8)<<6, byte(cylinder)
}

// Partition is a partition as a label has it, in bytes.
type Partition struct {
	Number int // from 1
	Type   byte
	Start  int64
	Size   int64
}

// Partitions reads a label: those of its four partitions that are there. It refuses one without its mark, partitions
// that overlap, and such as lie in the label itself or, where size is not negative, beyond the end of the disk.
func Partitions(sector []byte, size int64) ([]Partition, error) {
	if len(sector) < Sector || sector[endAt] != 0x55 || sector[endAt+1] != 0xaa {
		return nil, fmt.Errorf("disk: no msdos label")
	}
	var list []Partition
	for i := range entries {
		e := sector[entryAt+i*entrySize:][:entrySize]
		p := Partition{
			Number: i + 1, Type: e[4],
			Start: int64(binary.LittleEndian.Uint32(e[8:])) * Sector, Size: int64(binary.LittleEndian.Uint32(e[12:])) * Sector,
		}
		if p.Type == 0 {
			continue
		}
		if p.Start == 0 || p.Size == 0 || size >= 0 && p.Start+p.Size > size {
			return nil, fmt.Errorf("disk: partition %d from byte %d, %d bytes long, on a disk of %d", p.Number, p.Start, p.Size, size)
		}
		for _, o := range list {
			if p.Start < o.Start+o.Size && o.Start < p.Start+p.Size {
				return nil, fmt.Errorf("disk: partitions %d and %d overlap", o.Number, p.Number)
			}
		}
		list = append(list, p)
	}
	return list, nil
}
