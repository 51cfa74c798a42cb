//go:build unix

package store

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// private makes every file that this process creates its user's alone.
func private() { syscall.Umask(0o077) }

// owned refuses what belongs to another user, or what others may open.
func owned(name string, info fs.FileInfo) error {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Getuid() {
		return &BrokenError{
			Reason: filepath.Base(name) + " belongs to another user", Remedy: "Calls are private: keep the copy in a folder of your own, with --mirror PATH.",
			Err: fmt.Errorf("store: %s belongs to another user (%d): calls are private, so keep the copy in a folder of your own", name, sys.Uid),
		}
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		want := "600"
		if info.IsDir() {
			want = "700"
		}
		return &BrokenError{
			Reason: fmt.Sprintf("%s can be opened by others (mode %03o)", filepath.Base(name), mode), Remedy: fmt.Sprintf("Calls are private: run chmod %s on it, or keep the copy in a folder of its own.", want),
			Err: fmt.Errorf("store: %s can be opened by others (mode %03o): calls are private. Run chmod %s %s, or keep the copy in a folder of its own", name, mode, want, name),
		}
	}
	return nil
}
