package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/cpu"
)

// platform tells what the last digits of floating-point results can depend
// on: architecture, fused multiply-add, and the C library.
func platform() map[string]string {
	fma := "no"
	if cpu.X86.HasFMA || runtime.GOARCH == "arm64" {
		fma = "yes"
	}
	if strings.Contains(os.Getenv("GODEBUG"), "cpu.fma=off") {
		fma = "off in Go"
	}
	return map[string]string{
		"os": runtime.GOOS, "arch": runtime.GOARCH, "fma": fma, "libc": libc(), "go": runtime.Version(),
	}
}

// libc names the C library's file, which carries its version where that is
// known without running anything.
func libc() string {
	for _, pattern := range []string{"/lib/*/libc.so.6", "/lib64/libc.so.6", "/lib/ld-musl-*.so.1"} {
		if files, err := filepath.Glob(pattern); err == nil && len(files) > 0 {
			if target, err := filepath.EvalSymlinks(files[0]); err == nil {
				return glibcVersion(target)
			}
		}
	}
	return "unknown"
}

// glibcVersion finds "GNU C Library … version 2.36" in the library itself.
func glibcVersion(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return filepath.Base(file)
	}
	const mark = "GNU C Library ("
	if i := strings.Index(string(content), mark); i >= 0 {
		line := string(content[i:min(len(content), i+120)])
		if end := strings.IndexAny(line, "\n\x00"); end > 0 {
			line = line[:end]
		}
		return strings.TrimSuffix(line, ".")
	}
	return filepath.Base(file)
}
