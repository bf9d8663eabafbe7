package schedule

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ownGroup puts a child into a group of its own, which dies with its parent.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// residentBytes is the memory that a process holds now, 0 if it has ended.
func residentBytes(pid int) int64 {
	fields := strings.Fields(procFile(pid, "statm"))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// processOf tells a process from a later one of the same number: when it
// began, in the machine's own ticks. One that has ended has none, even if
// nobody has asked how it ended.
func processOf(pid int) string {
	const startTime = 19 // among the fields after the name, which is in brackets
	_, rest, _ := strings.Cut(procFile(pid, "stat"), ") ")
	if fields := strings.Fields(rest); len(fields) > startTime && fields[0] != "Z" {
		return fields[startTime]
	}
	return ""
}

func procFile(pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		return ""
	}
	return string(text)
}
