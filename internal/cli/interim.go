// SPDX-License-Identifier: MIT

package cli

import (
	"context"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
)

// nowhere stands in for the ledger's file.
type nowhere struct{}

func (nowhere) Append(context.Context, ledger.Run) error { return nil }

func (nowhere) Last(context.Context, digest.Digest) (ledger.Run, bool, error) {
	return ledger.Run{}, true, nil
}
