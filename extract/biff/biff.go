// Package biff reads old Excel workbooks (.xls of Excel 97 to 2003).
//
// In comes a whole file by random access: a compound file ([MS-CFB]) with one
// stream of BIFF8 records ([MS-XLS], Microsoft's open specifications). Out
// come the names of the worksheets and, row after row, the text of their
// cells: numbers as the shortest decimals that give the same value back,
// truth values as TRUE and FALSE, errors as Excel shows them (#N/A), formulas
// as the result that Excel last stored. Dates are numbers in this format and
// stay numbers. Of merged cells only the first has text.
//
// Everything in the file is taken to be hostile: no allocation and no loop
// goes beyond what the bytes of the file pay for, within the limits below.
// This package never computes a formula, never applies a number format, never
// guesses, and opens neither encrypted workbooks nor those of Excel 95 and
// older; it says so by name.
package biff

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/richardlehane/mscfb"
)

// Limits of a workbook. What goes beyond is refused with an error.
const (
	RowsLimit    = 1 << 16 // rows of a sheet: the format has no more
	ColumnsLimit = 256     // columns of a sheet: the format has no more
	SheetsLimit  = 4096    // sheets of a workbook, charts and macros too
	StreamLimit  = 1 << 30 // bytes of the stream of records, and never more than the file has
	TextLimit    = 1 << 30 // bytes of text that one sheet gives: one shared text may stand in many cells
)

// Workbook is an open workbook. It holds the shared texts of all sheets, which
// take at most some six times the bytes that they take in the file.
type Workbook struct {
	stream mscfb.File // never read itself: each reader has its own copy
	sheets []sheetPlace
	shared []string
}

// sheetPlace is what the workbook tells of a worksheet.
type sheetPlace struct {
	name string
	at   int64 // of its first record in the stream
}

// Open looks at a workbook: r gives its bytes, size is its length. It reads
// the list of sheets and the shared texts. The errors name what the file is if
// it is none that this package reads: encrypted, of Excel 95 or older, a newer
// .xlsx, no workbook at all, or damaged.
func Open(r io.ReaderAt, size int64) (workbook *Workbook, err error) {
	defer caught(&err)
	stream, err := openStream(r, size)
	if err != nil {
		return nil, err
	}
	w := &Workbook{stream: stream}
	if err := w.readGlobals(); err != nil {
		return nil, err
	}
	return w, nil
}

// Sheets names the worksheets in their order, hidden ones too; charts and
// macro sheets are left out.
func (w *Workbook) Sheets() []string {
	names := make([]string, len(w.sheets))
	for i, sheet := range w.sheets {
		names[i] = sheet.name
	}
	return names
}

// Sheet begins to read the worksheet of this name, spelled exactly so. Sheets
// can be read side by side.
func (w *Workbook) Sheet(name string) (sheet *Sheet, err error) {
	defer caught(&err)
	for _, place := range w.sheets {
		if place.name == name {
			return w.openSheet(place)
		}
	}
	return nil, fmt.Errorf("there is no sheet %q; the workbook has %s", name, quoted(w.Sheets()))
}

// recordsAt begins to read records at a place of the stream.
func (w *Workbook) recordsAt(at int64) (*records, error) {
	cursor := w.stream
	if at < 0 || at >= cursor.Size {
		return nil, damaged("a sheet is said to begin at byte %d of %d", at, cursor.Size)
	}
	if _, err := cursor.Seek(at, io.SeekStart); err != nil {
		return nil, damaged("find byte %d of the workbook: %w", at, err)
	}
	return &records{in: bufio.NewReaderSize(&cursor, int(min(cursor.Size-at, 1<<16)))}, nil
}

// damaged is the error for what no sound workbook has.
func damaged(problem string, args ...any) error {
	return fmt.Errorf("the file is damaged: "+problem, args...)
}

// caught turns a panic into an error: the last net. No panic is known.
func caught(err *error) {
	if cause := recover(); cause != nil {
		*err = damaged("its reader stumbled: %v", cause)
	}
}

// quoted writes the first names for a message: "a", "b".
func quoted(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "no worksheet"
	}
	var words []string
	for _, name := range names[:min(len(names), most)] {
		words = append(words, strconv.Quote(name))
	}
	if len(names) > most {
		words = append(words, "…")
	}
	return strings.Join(words, ", ")
}
