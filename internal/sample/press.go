package sample

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
)

// press writes the files of one sample and counts the work. Several files may be written at a time: no byte of one
// depends on another, nor on which was first.
type press struct {
	ctx      context.Context
	dir      string
	plain    bool
	progress func(done, total int)
	total    int
	done     atomic.Int64

	mutex sync.Mutex // over what follows, and the calls of progress
	paths []string
	told  int64
}

// pulse is how many units of work pass between two looks at the context: rare enough to cost nothing, often enough
// to stop within a few milliseconds.
const pulse = 512

// step counts one unit of work, and gives an error once the work is no longer wanted.
func (p *press) step() error {
	done := p.done.Add(1)
	if done%pulse != 0 {
		return nil
	}
	p.tell(done)
	return p.ctx.Err()
}

// tell reports the progress, and never less of it than before.
func (p *press) tell(done int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.progress != nil && done > p.told {
		p.told = done
		p.progress(min(int(done), p.total), p.total)
	}
}

func (p *press) finish() {
	if p.progress != nil {
		p.progress(p.total, p.total)
	}
}

// each runs the tasks, as many at a time as there are processors, and gives the error of the first that failed, in
// their order. After a failure no further task begins.
func (p *press) each(tasks []func(*press) error) error {
	errs := make([]error, len(tasks))
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(tasks)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tasks) && !failed.Load(); i = int(next.Add(1)) - 1 {
				if errs[i] = tasks[i](p); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// file writes one text file: its header, then what body puts on the sheet.
func (p *press) file(name string, layout layout, header []string, body func(*sheet) error) error {
	if p.plain {
		layout = layout.plain()
	}
	return p.create(name, func(file *os.File) error {
		sheet := newSheet(file, layout)
		for _, title := range header {
			sheet.text(title)
		}
		sheet.end()
		err := body(sheet)
		if closing := sheet.close(); err == nil {
			err = closing
		}
		return err
	})
}

// create makes the file of this name, with its folder, and lists it once body has written it.
func (p *press) create(name string, body func(*os.File) error) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	err = body(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.paths = append(p.paths, path)
	return nil
}
