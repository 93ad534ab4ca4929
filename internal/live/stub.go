// SPDX-License-Identifier: MIT

package live

import "context"

func open(string) (*Checkout, error)                          { return nil, nil }
func plan(*Checkout, Options, Distfiles) (*Plan, error)       { return nil, nil }
func check(*Checkout, Options, Distfiles) []Finding           { return nil }
func (Builder) build(context.Context, *Plan) ([]Built, error) { return nil, nil }
