// SPDX-License-Identifier: MIT

package agent

import (
	"context"
)

func (t *talk) shell(ctx context.Context) error {
	t.course.Hold()
	return ctx.Err()
}
