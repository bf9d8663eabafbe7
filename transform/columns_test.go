package transform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tamiz/config"
	"tamiz/pipeline"
	"tamiz/transform"
)

// TestBind_ColumnLineage binds one model for each construct. i is identity, t
// transformation, a aggregation; conditions are named. A and B are tables a(k,
// g, x, y) and b(k, z). A lateral is a join on what it takes from outside: that
// is how DuckDB plans it.
func TestBind_ColumnLineage(t *testing.T) {
	cases := []struct{ name, sql, want, rows string }{
		{"star", "select * from A", "k: i A.k, g: i A.g, x: i A.x, y: i A.y", ""},
		{"exclude and replace", "select * exclude (y) replace (x + y as x) from A", "k: i A.k, g: i A.g, x: t A.x t A.y", ""},
		{"expression", "select k, x + 1 as p, 'c' as c from A", "k: i A.k, p: t A.x, c:", ""},
		{"alias in the same select", "select k, x + y as p, p * 2 as q from A", "k: i A.k, p: t A.x t A.y, q: t A.x t A.y", ""},
		{"macro", "select k, clean(g) as p from A", "k: i A.k, p: t A.g", ""},
		{"case", "select k, case when g = 'a' then x else y end as p from A", "k: i A.k, p: case A.g t A.x t A.y", ""},
		{"filter", "select k from A where x > 0", "k: i A.k", "filter A.x"},
		{"using", "select * from A inner join B using (k)", "k: i A.k, g: i A.g, x: i A.x, y: i A.y, z: i B.z join A.k join B.k", "join A.k join B.k"},
		{"left join", "select A.k, z from A left join (select * from B where z > 1) as b on b.k = A.k and A.x > 2", "k: i A.k, z: filter B.z i B.z join A.k join A.x join B.k", "filter B.z join A.k join A.x join B.k"},
		{"full join", "select coalesce(A.k, b.k) as k from A full join B as b on b.k = A.k", "k: join A.k join B.k t A.k t B.k", "join A.k join B.k"},
		{"aggregate", "select g as k, max(x order by y) filter (where k <> 'z') as p, count(*) as n from A group by g", "k: i A.g, p: a A.x filter A.k group A.g sort A.y, n: group A.g", "group A.g"},
		{"aggregate without groups", "select max(x) as k from A where y > 0", "k: a A.x filter A.y", ""},
		{"having", "select g as k from A group by g having count(*) > 1 and max(x) > 0", "k: i A.g", "filter A.g filter A.x group A.g"},
		{"rollup", "select g as k, max(x) as p from A group by rollup (g)", "k: i A.g, p: a A.x group A.g", "group A.g"},
		{"window", "select k, lag(x) over (partition by g order by y) as p from A", "k: i A.k, p: a A.x window A.g window A.y", ""},
		{"qualify", "select k, x from A qualify row_number() over (partition by g order by y, k) = 1", "k: filter A.g filter A.k filter A.y i A.k, x: filter A.g filter A.k filter A.y i A.x", "filter A.g filter A.k filter A.y"},
		{"CTE read twice", "with c as (select k, x * 2 as p from A) select one.k, two.p from c as one inner join c as two using (k)", "k: i A.k, p: join A.k t A.x", "join A.k"},
		{"union all", "select k, x as p from A union all select k, z from B", "k: i A.k i B.k, p: i A.x i B.z", ""},
		{"union", "select k from A union select k from B", "k: i A.k i B.k", "group A.k group B.k"},
		{"except", "select k from A except select k from B", "k: i A.k", "group A.k group B.k"},
		{"distinct", "select distinct g as k from A", "k: i A.g", "group A.g"},
		{"distinct on", "select distinct on (g) g as k, x as p from A order by g, y, x", "k: group A.g i A.g sort A.g sort A.x sort A.y, p: group A.g i A.x sort A.g sort A.x sort A.y", "group A.g sort A.g sort A.x sort A.y"},
		{"limit", "select k from A order by x, k limit 3", "k: i A.k", "sort A.k sort A.x"},
		{"unnest", "select k, unnest([x, y]) as p from A", "k: i A.k, p: t A.x t A.y", "unnest A.x unnest A.y"},
		{"lateral", "select A.k, s.p from A, lateral (select A.x + 1 as p) as s", "k: i A.k, p: join A.x t A.x", "join A.x"},
		{"in", "select k from A where k in (select k from B)", "k: i A.k", "filter A.k filter B.k"},
		{"values", "select A.k, v.p from A inner join (values ('a', 1), ('b', 2)) as v(g, p) on v.g = A.g", "k: i A.k, p: join A.g", "join A.g"},
		{"list function", "select k, list_transform([x], lambda e: e + y) as p from A", "k: i A.k, p: t A.x t A.y", ""},
		{"recursion", "with recursive r as (select k, x as p from A union all select k, p - 1 from r where p > 0) select k, p from r", "k: i A.k, p: t A.x", "filter A.x"},
		{"correlated", "select k, (select max(z) from B where B.k = A.k) as p from A", "k: i A.k, p: a B.z filter A.k filter B.k group A.k join A.k", ""},
		{"exists", "select k from A where exists (select 1 from B where B.k = A.k and B.z > A.x)", "k: i A.k", "filter A.k filter A.x filter B.k filter B.z"},
	}
	files := fstest.MapFS{}
	for name, file := range world() {
		files[name] = file
	}
	table := func(name string, columns []string, sql string) {
		list := ""
		for _, column := range columns {
			list += "  " + column + ": {description: A column.}\n"
		}
		files["sql/toy/intermediate/"+name+".sql"] = &fstest.MapFile{Data: []byte("-- One row per key.\n" + sql + "\n")}
		files["sql/toy/intermediate/"+name+".yml"] = &fstest.MapFile{Data: []byte("description: A table.\nkey: [k]\n" + conserved(sql) + "columns:\n" + list)}
	}
	table("int_a", []string{"k", "g", "x", "y"}, "select 'k' as k, 'g' as g, 1 as x, 2 as y")
	table("int_b", []string{"k", "z"}, "select 'k' as k, 1 as z")
	for i, c := range cases {
		sql := strings.NewReplacer("from A", "from intermediate.int_a as A", "join A", "join intermediate.int_a as A",
			"from B", "from intermediate.int_b as B", "join B", "join intermediate.int_b").Replace(c.sql)
		sql = strings.ReplaceAll(sql, "int_b as B as b", "int_b as b")
		columns := []string{"k"}
		for part := range strings.SplitSeq(c.want, ", ") {
			if name, _, ok := strings.Cut(part, ":"); ok && name != "k" {
				columns = append(columns, name)
			}
		}
		table(fmt.Sprintf("int_case_%02d", i), columns, sql)
	}
	p, err := config.Load(files, "toy")
	if err != nil {
		t.Fatal(err)
	}
	binding, err := transform.Bind(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		lineage, known := binding.Lineage[fmt.Sprintf("intermediate.int_case_%02d", i)]
		if !known || lineage.Coarse {
			t.Errorf("%s: not understood", c.name)
			continue
		}
		var parts []string
		for _, column := range p.Model(fmt.Sprintf("intermediate.int_case_%02d", i)).Columns {
			parts = append(parts, strings.TrimSpace(column.Name+": "+inShort(lineage.Columns[column.Name])))
		}
		got, rows := strings.Join(parts, ", "), inShort(lineage.Rows)
		if got != c.want || rows != c.rows {
			t.Errorf("%s: %s\n got  %s\n rows %s\n want %s\n rows %s", c.name, c.sql, got, rows, c.want, c.rows)
		}
	}
}

// conserved gives the rules that a model must have; no row is run here.
func conserved(sql string) string {
	if !strings.Contains(sql, "intermediate.") {
		return "rows: generated\ntrace: {}\n"
	}
	text := "rows: joined onto intermediate.int_a\ntrace:\n"
	for _, name := range []string{"int_a", "int_b"} {
		if strings.Contains(sql, "intermediate."+name) {
			text += "  intermediate." + name + ": whole\n"
		}
	}
	return text
}

func inShort(inputs []pipeline.ColumnInput) string {
	var list []string
	for _, input := range inputs {
		way := input.By
		if way == "" {
			way = string(input.Kind)[:1]
		}
		list = append(list, way+" "+strings.ToUpper(strings.TrimPrefix(input.Table, "intermediate.int_"))+"."+input.Column)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
