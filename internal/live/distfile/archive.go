// SPDX-License-Identifier: MIT

package distfile

import "context"

// Archiver makes archives of git repositories.
type Archiver struct{}

func (f *Fetcher) makeAll(context.Context, []File, []Result) error { return nil }
