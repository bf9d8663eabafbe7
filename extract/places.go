package extract

import (
	"encoding/json"
	"os"
	"sort"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// placesFormat is raised when the file changes its form: others are passed over.
const placesFormat = "tamiz-places/1"

// placeEvery is how many records lie between two that have a place: to find
// one, half as many are read in vain.
const placeEvery = 1024

// maxPlaces is how large the file may be: 8 million places.
const maxPlaces = 256 << 20

// places says where records begin in a raw file that is delimited text. It is
// what a reading of all of the file has found out, so that the next one can
// begin where it needs to.
type places struct {
	Format   string     `json:"format"`
	Encoding string     `json:"encoding"` // that all bytes together show
	Mark     int        `json:"mark"`     // bytes that mark it, at the beginning
	Records  []recordAt `json:"records"`  // by number
}

// recordAt is a record's number, from 1, and where it begins: how many bytes
// stand before it, and on which physical line.
type recordAt struct {
	Number int64 `json:"n"`
	Offset int64 `json:"at"`
	Line   int64 `json:"line"`
}

// readPlaces reads them. What cannot be used counts as if it were not there.
func readPlaces(file string) *places {
	if info, err := os.Stat(file); err != nil || info.Size() > maxPlaces {
		return nil
	}
	text, err := os.ReadFile(file)
	found := &places{}
	if err != nil || json.Unmarshal(text, found) != nil || found.Format != placesFormat {
		return nil
	}
	return found
}

// write keeps them, whole or not at all.
func (p *places) write(file string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return pipeline.WriteFile(file, text)
}

// choice is how the survey of all bytes came out.
func (p *places) choice() (csvtext.Choice, error) {
	encoding, err := csvtext.FindEncoding(p.Encoding)
	return csvtext.Choice{Encoding: encoding, Mark: p.Mark}, err
}

// before gives the last place that is not behind a record.
func (p *places) before(number int64) *recordAt {
	i := sort.Search(len(p.Records), func(i int) bool { return p.Records[i].Number > number })
	if i == 0 {
		return nil
	}
	return &p.Records[i-1]
}

// note remembers where the next record begins, if it is one of those that are
// to have a place. Only the records of a whole raw file can be found by their
// places: members of archives are numbered on.
func (r *reading) note() {
	if g, ok := r.grid.(*csvGrid); ok && r.part == "" && r.count%placeEvery == 0 {
		if r.noted == nil {
			r.noted = &places{Format: placesFormat, Encoding: g.choice.Encoding.Name(), Mark: g.choice.Mark}
		}
		r.noted.Records = append(r.noted.Records, recordAt{r.count + 1, g.Offset(), g.Line()})
	}
}

// jump passes over records that nobody wants, as far as places are known.
func (r *reading) jump() {
	g, ok := r.grid.(*csvGrid)
	if !ok || r.picking.places == nil || len(r.picking.numbers) == 0 {
		return
	}
	if at := r.picking.places.before(r.picking.numbers[0]); at != nil && at.Number > r.count+1 {
		g.Resume(g.piece.from(at.Offset), at.Offset, at.Line)
		r.count = at.Number - 1
	}
}
