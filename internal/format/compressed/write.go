// SPDX-License-Identifier: MIT

package compressed

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// zstdWindow is what zstd -19 uses. A kernel allocates it.
const zstdWindow = 8 << 20

// NewWriter packs what is written to it, as a Linux kernel unpacks it: Gzip, Zstd, XZ with a CRC-32 and in one block, or
// LZ4 as a legacy frame. Close ends the stream and leaves w open. Other kinds are an error.
func NewWriter(w io.Writer, kind Kind) (io.WriteCloser, error) {
	switch kind {
	case Gzip:
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBestCompression),
			zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(true), zstd.WithZeroFrames(true))
	case XZ:
		return xz.WriterConfig{CheckSum: xz.CRC32}.NewWriter(w)
	case LZ4:
		return &lz4Writer{w: w}, nil
	}
	return nil, fmt.Errorf("%v: not written", kind)
}
