//go:build unix

package store

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// private makes every file that this process creates its user's alone.
func private() { syscall.Umask(0o077) }

// owned refuses what belongs to another user, or what others may open.
func owned(name string, info fs.FileInfo) error {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Getuid() {
		return fmt.Errorf("store: %s belongs to another user (%d): calls are private, so keep the copy in a folder of your own", name, sys.Uid)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		want := "600"
		if info.IsDir() {
			want = "700"
		}
		return fmt.Errorf("store: %s can be opened by others (mode %03o): calls are private. Run chmod %s %s, or keep the copy in a folder of its own", name, mode, want, name)
	}
	return nil
}
