// Package sql holds the models of the pipelines, embedded: per pipeline the
// folders macros, staging, intermediate and marts, and the macros that know
// no country in macros.
//
// In comes nothing; out goes a file system. There is no Go here to change:
// a model is x.sql (what), x.yml (meaning) and x.txtar (proof).
package sql

import "embed"

//go:embed */*
var Files embed.FS // sql/…, without the leading sql/
