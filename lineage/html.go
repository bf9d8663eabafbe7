package lineage

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"tamiz/pipeline"
)

var (
	//go:embed picture.html
	pictureHTML string
	//go:embed picture.js
	pictureScript string
	//go:embed picture.css
	pictureStyle string
)

// Sizes of the picture, in pixels.
const (
	boxWidth, boxHeight   = 216, 22
	columnStep, lineStep  = 290, 28
	marginLeft, marginTop = 12, 44
)

type picture struct {
	Pipeline, Policy string
	Script           template.JS
	Style            template.CSS
	Width, Height    int
	Heads            []pictureHead
	Boxes            []pictureBox
	Arrows           []pictureArrow
	Layers           []pictureLayer
}

type pictureHead struct {
	X    int
	Text string
}

type pictureBox struct {
	Node
	Name, Anchor, Label string
	X, Y                int
	Reads, ReadBy       []pictureLink
	Made                []pictureColumn
	Decided             string
}

type pictureArrow struct {
	From, To, Path string
	Constant       bool
}

type pictureLink struct{ Table, Anchor string }

type pictureLayer struct {
	Title string
	Boxes []pictureBox
}

type pictureColumn struct {
	Name, Type, Description string
	Inputs                  []string
}

// WriteHTML writes the graph as one page that needs no server and asks for
// nothing: a picture to search and click and, without script, lists.
func (g *Graph) WriteHTML(w io.Writer) error {
	page, err := template.New("picture").Parse(pictureHTML)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := page.Execute(w, g.picture()); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

func (g *Graph) picture() picture {
	places, columns := g.places()
	hash := sha256.Sum256([]byte(pictureScript))
	p := picture{Pipeline: g.Pipeline, Script: template.JS(pictureScript), Style: template.CSS(pictureStyle),
		Policy: "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'",
		Width:  2*marginLeft + (columns-1)*columnStep + boxWidth}
	heads := map[int]string{}
	boxes := map[Layer][]pictureBox{}
	for i := range g.Nodes {
		box := g.box(&g.Nodes[i], places)
		p.Boxes = append(p.Boxes, box)
		boxes[box.Layer] = append(boxes[box.Layer], box)
		p.Height = max(p.Height, box.Y+boxHeight+marginTop)
		heads[places[box.Table].column] = map[Layer]string{LayerSource: "sources, constants", LayerConstant: "sources, constants",
			LayerStaging: "staging", LayerIntermediate: "intermediate", LayerMart: "marts"}[box.Layer]
	}
	for at := range columns {
		p.Heads = append(p.Heads, pictureHead{marginLeft + at*columnStep, heads[at]})
	}
	for _, edge := range g.Edges {
		from, to := spot(places[edge.From]), spot(places[edge.To])
		x1, y1, x2, y2 := from[0]+boxWidth, from[1]+boxHeight/2, to[0], to[1]+boxHeight/2
		p.Arrows = append(p.Arrows, pictureArrow{edge.From, edge.To,
			fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+40, y1, x2-40, y2, x2, y2), g.Node(edge.From).Layer == LayerConstant})
	}
	for _, layer := range []struct {
		layer Layer
		title string
	}{{LayerMart, "Marts"}, {LayerIntermediate, "Intermediate models"}, {LayerStaging, "Staging models"}, {LayerSource, "Sources"}, {LayerConstant, "Constant tables"}} {
		slices.SortFunc(boxes[layer.layer], func(a, b pictureBox) int { return strings.Compare(a.Table, b.Table) })
		p.Layers = append(p.Layers, pictureLayer{layer.title, boxes[layer.layer]})
	}
	return p
}

func spot(at position) [2]int {
	return [2]int{marginLeft + at.column*columnStep, marginTop + at.line*lineStep}
}

func (g *Graph) box(node *Node, places map[string]position) pictureBox {
	at := spot(places[node.Table])
	box := pictureBox{Node: *node, Name: pipeline.BaseName(node.Table), Anchor: anchor(node.Table), X: at[0], Y: at[1]}
	if node.Layer == LayerConstant {
		box.Name = node.Table
	}
	box.Label = shorten(box.Name, 34)
	links := func(tables []string) []pictureLink {
		var found []pictureLink
		for _, table := range tables {
			if g.Node(table) != nil {
				found = append(found, pictureLink{table, anchor(table)})
			}
		}
		return found
	}
	box.Reads, box.ReadBy = links(g.inputs[node.Table]), links(g.dependents[node.Table])
	box.Decided = strings.Join(g.decided(node.Table), ", ")
	for _, column := range node.Columns {
		made := pictureColumn{Name: column.Name, Type: column.Type, Description: column.Description}
		for _, group := range together(slices.DeleteFunc(slices.Clone(column.Inputs), func(input pipeline.ColumnInput) bool {
			return !g.follows(pipeline.ColumnRef{Table: node.Table, Column: column.Name}, input)
		})) {
			if !node.Coarse {
				made.Inputs = append(made.Inputs, group[0].String()+" ("+strings.Join(waysOf(group), ", ")+")")
			}
		}
		box.Made = append(box.Made, made)
	}
	return box
}

func anchor(table string) string { return "t-" + table }

// shorten keeps the end of a long name, which tells it from its neighbours.
func shorten(name string, most int) string {
	letters := []rune(name)
	if len(letters) <= most {
		return name
	}
	return string(letters[:most/2]) + "…" + string(letters[len(letters)-most/2+1:])
}
