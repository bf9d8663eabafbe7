//go:build !cgo

package duck

// DuckDB is a C++ library. This line fails to compile with a message that
// says what to do, where the compiler's own would mislead.
var _ = TAMIZ_NEEDS_CGO_set_CGO_ENABLED_1_and_install_gcc_and_g_plus_plus
