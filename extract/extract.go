// Package extract brings the world in: files that publishers serve, or that
// people put into folders, become raw bytes in an archive, and raw bytes become
// tables of text.
//
// In come source cards. A [Watch] asks their addresses, mirrors and inboxes,
// notes what it saw in an append-only [Log], and keeps the bytes for ever in an
// [Archive], by their SHA-256. Out go observations, which become the pins that
// a run stands on, and for each pinned file a table with the columns that the
// card declares ([Reader]), or an error that says which line of the card or
// which part of the file to mend. How a format is decoded, each package below
// this one knows for itself.
//
// This room never cleans or judges a value beyond the card's contract (a
// range, a number of records), never decides whether a new version may be used,
// never fills a gap, never chooses what is published, and never changes a file
// outside of its archive and its log.
package extract
