// Package extract brings the world in: files that people put into folders
// become raw bytes in an archive, and raw bytes become tables of text.
//
// In come source cards and the files that their patterns find ([Observe]).
// What was seen is noted in an append-only [Log]; the bytes themselves are
// kept for ever in an [Archive], by their SHA-256. Out go pins, which say what
// a run stands on, and for each pinned file a table with the columns that the
// card declares ([Reader]), or an error that says which line of the card or
// which part of the file to mend.
//
// This room never cleans or judges a value beyond the card's contract (a
// range, a number of records), never fills a gap, never chooses what is
// published, and never changes a file outside of its archive and its log.
package extract
