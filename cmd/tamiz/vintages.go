package main

import (
	"fmt"
	"slices"

	"tamiz/pipeline"
)

// vintages chooses, for each source with a history, the versions that a run
// stands on: of what the log has seen and of what is known from before, for
// the log may have gone with its warehouse.
func (s *session) vintages(current map[string][]pipeline.Pin, known map[string][]pipeline.Vintage) map[string][]pipeline.Vintage {
	chosen := map[string][]pipeline.Vintage{}
	for i := range s.p.Sources {
		source := &s.p.Sources[i]
		list := pipeline.Vintages(append(s.log.Versions(source.Name), known[source.Name]...), current[source.Name], source.History)
		if len(list) > 0 {
			chosen[source.Name] = list
		}
	}
	return chosen
}

// pinVintages pins the versions of those sources that have a history. An older
// one whose bytes are gone, or that the card does not fit any more, is left
// out, and said to be.
func (r *runState) pinVintages(before *pipeline.Pins) error {
	known := map[string][]pipeline.Vintage{}
	if before != nil {
		known = before.Vintages
	} else if r.latest != nil {
		for _, source := range r.latest.Sources {
			known[source.Name] = source.Vintages
		}
	}
	r.pins.Vintages = r.vintages(r.pins.Sources, known)
	for i := range r.p.Sources {
		source := &r.p.Sources[i]
		var kept []pipeline.Vintage
		for _, vintage := range r.pins.Vintages[source.Name] {
			why, err := r.unreadable(source, vintage)
			if err != nil {
				return err
			}
			if why == "" {
				kept = append(kept, vintage)
				continue
			}
			at := slices.IndexFunc(r.record.Sources, func(state pipeline.SourceRecord) bool { return state.Source == source.Name })
			if at >= 0 {
				r.record.Sources[at].Notes = append(r.record.Sources[at].Notes, fmt.Sprintf("the version of %s is left out of the history: %s", vintage.AsOf, why))
			}
		}
		if len(kept) > 0 {
			r.pins.Vintages[source.Name] = kept
		}
	}
	return nil
}

// unreadable says why an older version cannot be read today, "" if it can.
func (r *runState) unreadable(source *pipeline.Source, vintage pipeline.Vintage) (string, error) {
	if pipeline.SameFiles(vintage.Files, r.pins.Sources[source.Name]) {
		return "", nil
	}
	if !r.archived(vintage.Files) {
		return "its bytes are not in the archive", nil
	}
	plain := *source
	plain.Gates = nil // it was judged in its day
	admission, err := r.session.walk(r.record.Workers).Admit(r.ctx, r.p, r.binding, []*pipeline.Candidate{{Source: &plain, Pins: vintage.Files}}, r.engines)
	if err != nil {
		return "", err
	}
	r.keep(admission)
	if refusal := admission.Refused[source.Name]; refusal != nil {
		return firstLine(refusal), nil
	}
	return "", nil
}
