package extract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tamiz/extract/csvtext"
	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Between our text and DuckDB stand characters that no raw file may hold: the
// survey has refused control characters. So ” and text such as NULL survive.
const (
	plainSeparator = 0x1F
	plainNull      = "\x1E"
)

// writePlain writes the wanted columns as UTF-8, each record with its number,
// and tells the size of the longest record.
func (r *reading) writePlain(ctx context.Context, path string) (longest int, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, storageError("write a table", err)
	}
	defer file.Close()
	writer := bufio.NewWriterSize(file, 256<<10)
	contract := newContract(r.source, r.places)
	var line, text []byte
	for {
		record, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if err := contract.judge(record); err != nil {
			return 0, err
		}
		if r.count%4096 == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		line = strconv.AppendInt(line[:0], r.count, 10)
		for _, place := range r.places {
			if place != csvtext.Absent {
				text = r.choice.Encoding.AppendText(text[:0], record.Fields[place])
				line = appendField(append(line, plainSeparator), text)
			}
		}
		line = append(line, '\n')
		longest = max(longest, len(line))
		if _, err := writer.Write(line); err != nil {
			return 0, storageError("write a table", err)
		}
	}
	if err := contract.finish(); err != nil {
		return 0, err
	}
	if err := errors.Join(writer.Flush(), file.Close()); err != nil {
		return 0, storageError("write a table", err)
	}
	return longest, nil
}

// appendField appends a value, in quotes if it needs them.
func appendField(line, text []byte) []byte {
	if bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\n') < 0 {
		return append(line, text...)
	}
	line = append(line, '"')
	for _, b := range text {
		if b == '"' {
			line = append(line, '"')
		}
		line = append(line, b)
	}
	return append(line, '"')
}

// plainTable is what writePlain wrote.
type plainTable struct {
	path    string
	longest int // bytes of a record
	file    pipeline.Digest
	columns []pipeline.SourceColumn
	places  []int
}

// toParquet has DuckDB write the table.
func (t plainTable) toParquet(ctx context.Context, target, scratch string, memory int64) error {
	db, err := duck.Open(ctx, duck.Options{Memory: memory, Temp: filepath.Join(scratch, "spill")})
	if err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	err = db.Exec(ctx, t.sql(target))
	if err := errors.Join(err, db.Close()); err != nil {
		return storageError("write the table of a raw file", err)
	}
	return nil
}

func (t plainTable) sql(target string) string {
	types := []string{"'_record': 'BIGINT'"}
	var selected []string
	for i, column := range t.columns {
		if t.places[i] == csvtext.Absent {
			selected = append(selected, "cast(null as varchar) as "+pipeline.QuoteName(column.Name))
			continue
		}
		name := "c" + strconv.Itoa(i)
		types = append(types, "'"+name+"': 'VARCHAR'")
		selected = append(selected, name+" as "+pipeline.QuoteName(column.Name))
	}
	selected = append(selected, pipeline.QuoteText(string(t.file))+" as _file", "_record")
	lineSize := max(64<<10, t.longest+1024)
	read := fmt.Sprintf(`read_csv(%s, auto_detect = false, header = false, delim = '%c', quote = '"', escape = '"', `+
		`new_line = '\n', comment = '', nullstr = '%s', columns = {%s}, max_line_size = %d, buffer_size = %d, `+
		`strict_mode = true, parallel = false)`,
		pipeline.QuoteText(t.path), plainSeparator, plainNull, strings.Join(types, ", "), lineSize, max(4<<20, 2*lineSize))
	return "copy (select " + strings.Join(selected, ", ") + " from " + read + " order by _record) to " +
		pipeline.QuoteText(target) + " (format parquet, compression zstd, row_group_size 20480)"
}
