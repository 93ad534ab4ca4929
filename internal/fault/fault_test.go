// SPDX-License-Identifier: MIT

package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestKindsAreDistinct(t *testing.T) {
	names, exits := map[string]Kind{}, map[int]Kind{}
	for _, k := range Kinds() {
		if other, twice := names[k.String()]; twice || k.String() == "" {
			t.Errorf("kind %d has the name %q of kind %d", k, k.String(), other)
		}
		if other, twice := exits[k.ExitStatus()]; twice || k.ExitStatus() <= 0 || k.ExitStatus() > 255 {
			t.Errorf("kind %v has the exit status %d of kind %v", k, k.ExitStatus(), other)
		}
		names[k.String()], exits[k.ExitStatus()] = k, k
	}
	if len(names) != int(Interrupted)+1 {
		t.Errorf("Kinds() has %d kinds; want %d", len(names), int(Interrupted)+1)
	}
}

func TestNewKeepsTextAndCause(t *testing.T) {
	err := New(Limit, "tar %q: %w", "a", fs.ErrExist)
	if want := `tar "a": file already exists`; err.Error() != want {
		t.Errorf("Error() = %q; want %q", err.Error(), want)
	}
	if !errors.Is(err, fs.ErrExist) {
		t.Error("the cause was lost")
	}
	if plain := New(Usage, "no cause"); errors.Unwrap(plain) != nil {
		t.Errorf("Unwrap() = %v; want nil", errors.Unwrap(plain))
	}
}

func TestNewKeepsSeveralCauses(t *testing.T) {
	err := New(Limit, "%w and %w", fs.ErrExist, New(Usage, "inner").WithHint("do this"))
	if !errors.Is(err, fs.ErrExist) || HintOf(err) != "do this" {
		t.Errorf("of two causes: Is %v, hint %q; want both to be found", errors.Is(err, fs.ErrExist), HintOf(err))
	}
}

func TestKindOfIsTheOutermost(t *testing.T) {
	inner := New(NotFound, "inner")
	for name, row := range map[string]struct {
		err  error
		want Kind
	}{
		"nil":                {nil, Internal},
		"a plain error":      {fs.ErrExist, Internal},
		"a fault":            {inner, NotFound},
		"a fault, wrapped":   {fmt.Errorf("outer: %w", inner), NotFound},
		"a fault in a fault": {New(Unavailable, "outer: %w", inner), Unavailable},
		"joined errors":      {errors.Join(fs.ErrExist, inner), NotFound},
	} {
		if got := KindOf(row.err); got != row.want {
			t.Errorf("%s: KindOf = %v; want %v", name, got, row.want)
		}
	}
}

func TestHintOfIsTheOutermostThatIsNotEmpty(t *testing.T) {
	inner := New(NotFound, "inner").WithHint("look in %s", "there")
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"nil":                       {nil, ""},
		"a plain error":             {fs.ErrExist, ""},
		"a fault":                   {inner, "look in there"},
		"a fault without one":       {New(Usage, "outer: %w", inner), "look in there"},
		"a fault with its own":      {New(Usage, "outer: %w", inner).WithHint("mine"), "mine"},
		"wrapped between":           {New(Usage, "outer: %w", fmt.Errorf("between: %w", inner)), "look in there"},
		"a fault with no cause":     {New(Usage, "outer"), ""},
		"joined errors":             {errors.Join(fs.ErrExist, inner), "look in there"},
		"the second of two, joined": {errors.Join(New(Usage, "no hint"), inner), "look in there"},
	} {
		if got := HintOf(row.err); got != row.want {
			t.Errorf("%s: HintOf = %q; want %q", name, got, row.want)
		}
	}
}
