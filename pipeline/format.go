package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// warehouseFormat is raised when a warehouse is laid out in a way that an
// older Tamiz would misread.
const warehouseFormat = 1

const formatFile = "format"

// formatRecord is what the file warehouse/format holds.
type formatRecord struct {
	Format int    `json:"format"`
	Tamiz  string `json:"tamiz"` // the version that made the warehouse
}

// checkFormat refuses a warehouse that a newer Tamiz has made. One without the
// file is older than the file, and is read like one of format 1.
func (w *Warehouse) checkFormat() error {
	text, err := os.ReadFile(filepath.Join(w.dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var record formatRecord
	if err == nil {
		err = json.Unmarshal(text, &record)
	}
	move := "move the folder away: whatever is in it is made anew from the store"
	if err != nil {
		return &Error{Kind: Storage, Problem: "read which format the warehouse has", Where: filepath.Join(w.dir, formatFile), Err: err, Hint: move}
	}
	if record.Format > warehouseFormat {
		return &Error{Kind: Config, Problem: "the warehouse was made by a newer Tamiz", Where: w.dir,
			Expected: fmt.Sprintf("format %d or older, which this Tamiz can read", warehouseFormat),
			Found:    fmt.Sprintf("format %d, made by Tamiz %s", record.Format, record.Tamiz),
			Effect:   "nothing was done", Hint: "use that version of Tamiz, or a newer one; or " + move}
	}
	return nil
}

// Stamp writes which format the warehouse has, and the version of Tamiz that
// made it or was the first to take over an older one. Only who holds the lock
// of the warehouse may call it.
func (w *Warehouse) Stamp(tamiz string) error {
	path := filepath.Join(w.dir, formatFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	text, err := json.Marshal(formatRecord{Format: warehouseFormat, Tamiz: tamiz})
	if err != nil {
		return fmt.Errorf("write the format of the warehouse: %w", err)
	}
	return WriteFile(path, append(text, '\n'))
}
