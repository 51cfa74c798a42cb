package config

import (
	"path/filepath"
	"runtime"
)

// configDir is os.UserConfigDir of env, so that a test never reads what the
// process's own user has configured; "" if it cannot be known.
func configDir(env func(string) string) string {
	return userDir(env, "AppData", "Library/Application Support", "XDG_CONFIG_HOME", ".config")
}

// cacheDir is os.UserCacheDir of env; "" if it cannot be known.
func cacheDir(env func(string) string) string {
	return userDir(env, "LocalAppData", "Library/Caches", "XDG_CACHE_HOME", ".cache")
}

func userDir(env func(string) string, windows, darwin, xdg, home string) string {
	switch runtime.GOOS {
	case "windows":
		return env(windows)
	case "darwin", "ios":
		xdg, home = "", darwin
	}
	if xdg != "" && filepath.IsAbs(env(xdg)) {
		return env(xdg)
	}
	if env("HOME") == "" {
		return ""
	}
	return filepath.Join(env("HOME"), filepath.FromSlash(home))
}
