package s3server

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps a killed test from leaving its server behind.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
