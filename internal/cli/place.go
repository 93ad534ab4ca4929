// SPDX-License-Identifier: MIT

package cli

import (
	"path/filepath"

	"github.com/rung-build/rung/internal/fault"
)

// storeFolder is the folder of the store: --store, or RUNG_STORE, or rung in the user's cache folder as the XDG Base
// Directory Specification gives it (a value that is not absolute does not count).
func (a *app) storeFolder() (string, error) {
	for _, dir := range []string{a.store, a.env("RUNG_STORE")} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	return a.cacheFolder()
}

// cacheFolder is rung's folder among the caches of the user, whatever store is used: kernels lie there.
func (a *app) cacheFolder() (string, error) {
	if cache := a.env("XDG_CACHE_HOME"); filepath.IsAbs(cache) {
		return filepath.Join(cache, "rung"), nil
	}
	if home := a.env("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".cache", "rung"), nil
	}
	return "", fault.New(fault.Usage, "no folder for the store: neither XDG_CACHE_HOME nor HOME is set").
		WithHint("name one with --store DIR or RUNG_STORE")
}
