package pipeline

import (
	"slices"
	"strings"
)

// DiffersFrom names what two definitions of a pipeline do not share of what
// results stand on, the method aside: models, catalogues, source cards, macros.
func (p *Pipeline) DiffersFrom(other *Pipeline) []string {
	before, after := p.meanings(), other.meanings()
	names := sortedKeys(before)
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return before[name] == after[name] })
}

// meanings digests each thing that a step's program or parameters are made of.
func (p *Pipeline) meanings() map[string]Digest {
	meanings := map[string]Digest{}
	for _, model := range p.Models {
		texts := ""
		if model.IsMart() {
			texts = model.DocText
		}
		meanings[model.Name] = DigestOf(model.SQL, canonical(model.Transform), strings.Join(model.Key, "\x00"), canonical(model.Rows), texts)
	}
	for _, table := range p.Tables {
		if !isMethod(table) {
			meanings[table.Name] = MeaningOf([]Table{table})
		}
	}
	for _, source := range p.Sources {
		meanings["card of "+source.Name] = DigestOf(canonical(source.Parsing))
	}
	for _, macro := range p.Macros {
		meanings["macro "+macro.Name] = DigestOf(macro.SQL)
	}
	return meanings
}
