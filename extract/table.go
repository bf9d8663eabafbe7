package extract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Between our text and DuckDB stand characters that no table may hold: control
// characters are refused. So ” and text such as NULL survive.
const (
	plainSeparator = 0x1F
	plainNull      = 0x1E
)

// plainWriter writes the wanted columns as UTF-8 text, for DuckDB to read.
type plainWriter struct {
	path    string
	file    *os.File
	buffer  *bufio.Writer
	columns []pipeline.SourceColumn
	line    []byte
	longest int // bytes of a record
}

func newPlainWriter(path string, columns []pipeline.SourceColumn) (*plainWriter, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, storageError("write a table", err)
	}
	return &plainWriter{path: path, file: file, buffer: bufio.NewWriterSize(file, 256<<10), columns: columns}, nil
}

// begin starts a record with where it stands.
func (w *plainWriter) begin(record int64, part string, line int64) {
	w.line = strconv.AppendInt(w.line[:0], record, 10)
	w.line = strconv.AppendInt(append(w.line, plainSeparator), line, 10)
	w.field([]byte(part))
}

// null appends a value that the file does not have.
func (w *plainWriter) null() { w.line = append(w.line, plainSeparator, plainNull) }

// field appends a value, in quotes if it needs them.
func (w *plainWriter) field(text []byte) {
	w.line = append(w.line, plainSeparator)
	if bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		w.line = append(w.line, text...)
		return
	}
	w.line = append(w.line, '"')
	for _, b := range text {
		if b == '"' {
			w.line = append(w.line, '"')
		}
		w.line = append(w.line, b)
	}
	w.line = append(w.line, '"')
}

func (w *plainWriter) end() error {
	w.line = append(w.line, '\n')
	w.longest = max(w.longest, len(w.line))
	if _, err := w.buffer.Write(w.line); err != nil {
		return storageError("write a table", err)
	}
	return nil
}

// toParquet has DuckDB write the table. It reads with one thread, so that the
// records keep the order of the file.
func (w *plainWriter) toParquet(ctx context.Context, target string, raw pipeline.Digest, scratch string, memory int64) error {
	if err := errors.Join(w.buffer.Flush(), w.file.Close()); err != nil {
		return storageError("write a table", err)
	}
	db, err := duck.Reuse(ctx, duck.Options{Memory: memory, Temp: filepath.Join(scratch, "..", "..")})
	if err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	err = db.Exec(ctx, w.sql(target, raw))
	if err := errors.Join(err, db.Close()); err != nil {
		return storageError("write the table of a raw file", err)
	}
	return nil
}

func (w *plainWriter) sql(target string, raw pipeline.Digest) string {
	types := []string{"'_record': 'BIGINT'", "'_line': 'BIGINT'", "'_part': 'VARCHAR'"}
	var selected []string
	for i, column := range w.columns {
		name := "c" + strconv.Itoa(i)
		types = append(types, "'"+name+"': 'VARCHAR'")
		selected = append(selected, name+" as "+pipeline.QuoteName(column.Name))
	}
	selected = append(selected, pipeline.QuoteText(string(raw))+" as _file", "_part", "_record", "_line")
	lineSize := max(64<<10, w.longest+1024)
	read := fmt.Sprintf(`read_csv(%s, auto_detect = false, header = false, delim = '%c', quote = '"', escape = '"', `+
		`new_line = '\n', comment = '', nullstr = '%c', columns = {%s}, max_line_size = %d, buffer_size = %d, `+
		`strict_mode = true, parallel = false)`,
		pipeline.QuoteText(w.path), plainSeparator, plainNull, strings.Join(types, ", "), lineSize, max(4<<20, 2*lineSize))
	return "copy (select " + strings.Join(selected, ", ") + " from " + read + ") to " +
		pipeline.QuoteText(target) + " (format parquet, compression zstd, row_group_size 20480)"
}
