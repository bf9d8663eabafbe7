// Package pipeline is the language of Tamiz and its walk: what a source, a
// model, a step, an artifact and a run are, how a graph of steps is planned,
// and how it is carried out.
//
// In comes a pipeline as data ([Pipeline], read by package config), the pins
// that say which bytes of the world it stands on ([Pins], made by package
// extract), and runners that know how to do one step each ([Runner], fulfilled
// by extract and transform). Out go immutable artifacts in a [Warehouse], each
// under the fingerprint of what it was made from, and a record of the run.
//
// The one mechanism: a step is a pure function of its program, its parameters
// and its inputs, and its fingerprint is the SHA-256 of exactly those. A step
// whose artifact is there is not run. Cache, resume after a crash, incremental
// runs and rebuilds are all this one fact.
//
// This room never fetches, never speaks SQL, never publishes, and knows no
// country. It imports the standard library only.
package pipeline
