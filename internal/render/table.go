package render

import "strings"

// A Common is a column of a Table that has the same value in every row.
type Common struct{ Head, Value string }

// EveryRow writes what all rows of a Table share: "every row: agent = Support EN
// · ended = silence-timed-out", or nothing.
func EveryRow(common []Common) string {
	if len(common) == 0 {
		return ""
	}
	parts := make([]string, len(common))
	for i, c := range common {
		parts[i] = c.Head + " = " + c.Value
	}
	return "every row: " + strings.Join(parts, " · ")
}

// Table writes rows as lines "a | b | c" under a line of headers, with no
// newline at the end. Of two rows and more, the columns that are equal in each
// are taken out and returned in common; columns that are empty in each are left
// out. The first column, which names the row, always stays. An empty cell is
// written as nothing. Cells are cleaned, a | in one is written /, and missing
// cells are empty.
//
// The body takes at most budget tokens, headers included; shown is how many
// rows, from the first, that was enough for. With none there is no body.
func Table(head []string, rows [][]string, budget int) (body string, common []Common, shown int) {
	if len(rows) == 0 || len(head) == 0 {
		return "", nil, 0
	}
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = make([]string, len(head))
		for k := range min(len(row), len(head)) {
			cells[i][k] = cell(row[k])
		}
	}
	var columns []int
	for k := range head {
		switch same := sameInAll(cells, k); {
		case k == 0, !same, len(rows) == 1 && cells[0][k] != "":
			columns = append(columns, k)
		case cells[0][k] != "":
			common = append(common, Common{Head: head[k], Value: cells[0][k]})
		}
	}
	w := NewWriter(budget, 0)
	if !w.Line(line(head, columns)) {
		return "", common, 0
	}
	for shown < len(cells) && w.Line(line(cells[shown], columns)) {
		shown++
	}
	if shown == 0 {
		return "", common, 0
	}
	return w.String(), common, shown
}

// line joins the columns of one row.
func line(row []string, columns []int) string {
	parts := make([]string, len(columns))
	for i, k := range columns {
		parts[i] = row[k]
	}
	// An empty cell is one space between its bars, not two; cells have no bars.
	return strings.TrimSpace(strings.ReplaceAll(strings.Join(parts, " | "), "  |", " |"))
}

func cell(s string) string { return strings.ReplaceAll(Clean(s), "|", "/") }

func sameInAll(cells [][]string, k int) bool {
	for _, row := range cells[1:] {
		if row[k] != cells[0][k] {
			return false
		}
	}
	return true
}
