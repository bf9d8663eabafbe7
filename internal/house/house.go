// Package house holds the rules of this house as tests: who may import whom,
// that every package has a doc, that no Go knows a country, and how SQL looks.
//
// In comes the source tree; out come failing tests with the reason. It has no
// code that the product runs.
package house
