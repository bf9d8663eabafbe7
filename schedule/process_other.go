//go:build !linux

package schedule

import "syscall"

// ownGroup puts a child into a group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// residentBytes is not known here: only Linux tells it of another process.
func residentBytes(int) int64 { return 0 }

// processOf is not known here.
func processOf(int) string { return "" }
