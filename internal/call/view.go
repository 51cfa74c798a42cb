package call

import (
	"math"
	"slices"
	"strings"

	"call-logs-mcp/internal/filter"
)

// A View is how one who asks sees the texts of a call. What it hides can neither
// be read nor found out by asking: filters, searches and groups that carry it
// see what Log.MapText leaves. Views are told apart by their address.
type View struct {
	Text func(string) string // what a person or a provider may have written freely
	// Turns is the first n of what was said in turn, by the roles of the same places; nil
	// for Text on each. How one is shown may depend on those around it, so it is given
	// all. It may change what it is given.
	Turns  func(texts, roles []string, n int) []string
	Number func(string) string // what is a telephone number by definition
	Name   func(string) string // identifiers that questions are asked with
	// Hides says that it keeps something back. What it shows in full can be asked
	// for as it is.
	Hides bool
}

// Seen is e as it is to be asked for who sees v: each condition on a text that v
// may hide sees what v shows. What finds a call by its own identifier stays, as
// does comparing whole telephone numbers.
func (v *View) Seen(e filter.Expr) filter.Expr {
	if v == nil || !v.Hides {
		return e
	}
	return filter.Map(e, v.seen)
}

func (v *View) seen(c filter.Cond) filter.Expr {
	f, ok := fields.Field(c.Field)
	if !ok || c.Op == filter.IsNull || f.Kind != filter.Text && f.Name != metricValue {
		return c
	}
	prefix, key, _ := strings.Cut(f.Name, ".")
	whole := f.Phone || prefix == "metadata" && isNumberKey(key)
	switch f.Name {
	case "source", "agent.id", "project_id", "assistant_id", Evaluations + ".metric.id":
		return c
	case "call_id":
		whole = true
	}
	if n, ok := c.Value.(float64); ok && math.Abs(n) < leastHidden {
		return c // any number that is hidden is larger
	}
	viewed := c
	viewed.View = v
	if c.Op != filter.Eq && c.Op != filter.In && c.Op != filter.Neq {
		return viewed
	}
	return v.equals(c, viewed, whole && c.Op != filter.Neq)
}

// leastHidden is the least number that is hidden where it is written as a text.
const leastHidden = 1e4

// equals is c, which compares whole values, as it is asked of the values
// themselves: those that are shown as they are. What v hides leaves a mark, so
// only an operand with a mark, copied from an answer, is compared with what v
// shows. Telephone numbers of fields that hold nothing else may be compared
// where whole is set.
func (v *View) equals(c, viewed filter.Cond, whole bool) filter.Expr {
	plain, marked := []any{}, []any{}
	list, isList := c.Value.([]any)
	if !isList {
		list = []any{c.Value}
	}
	for _, x := range list {
		text, isText := x.(string)
		if number, ok := x.(filter.Phone); ok {
			text, isText = string(number), true
		}
		switch {
		case x == nil:
		case !isText, strings.Contains(text, HiddenMark):
			marked = append(marked, x)
		case whole && isWhole(c.Field, x), filter.Same((seen{v, nil}).text(c.Field, text), text): // but for what is not seen in any case
			plain = append(plain, x)
		case c.Op == filter.Neq: // it differs from all that is shown
			return filter.Cond{Field: c.Field, Op: filter.IsNull, Value: false}
		}
	}
	if !isList && len(marked) > 0 {
		return viewed
	}
	if !isList && len(plain) > 0 {
		return c
	}
	var or filter.Or
	if c.Value = plain; len(plain) > 0 || len(marked) == 0 {
		c.Op = filter.In
		or = append(or, c)
	}
	if viewed.Value = marked; len(marked) > 0 {
		or = append(or, viewed)
	}
	if len(or) == 1 {
		return or[0]
	}
	return or
}

// HiddenMark stands in every text in the place of what is hidden of it.
const HiddenMark = "•"

// isWhole tells whether an operand of a field is a value of its own, and not what
// some masks leave of one.
func isWhole(field string, x any) bool {
	if field == "call_id" {
		return true
	}
	text, isText := x.(string)
	if isText {
		_, isText = filter.Operand(text).(string)
	}
	return !isText
}

const metricValue = Evaluations + ".value"

// Of is l as v shows it: l itself where v hides nothing.
func (v *View) Of(l *Log) *Log {
	if v == nil || !v.Hides {
		return l
	}
	return l.MapText(v)
}

// Said is the turns of l as v shows them.
func (v *View) Said(l *Log) []Turn {
	if v == nil || !v.Hides {
		return l.Turns
	}
	return l.mapTurns(v)
}

// Row is what v shows of a row: of a *Log as Log.MapText has it, of the value
// of a single field in the same way.
func (v *View) Row(r filter.Row) filter.Row { return seen{v, r} }

// Values are those of a field of l as v shows them.
func (v *View) Values(l *Log, field string) []any { return v.row(l).Values(field) }

// Cell is the key of a group by field, as v shows it.
func (v *View) Cell(field, cell string) string {
	if v == nil || !v.Hides || cell == Absent {
		return cell
	}
	return seen{v, nil}.text(field, cell)
}

// row is Row, for a View that may be nil or hide nothing.
func (v *View) row(l *Log) filter.Row {
	if v == nil || !v.Hides {
		return l
	}
	return v.Row(l)
}

type seen struct {
	view *View
	row  filter.Row
}

// Called is a Row that knows the number of its call's customer.
type Called interface{ CustomerNumber() string }

// CustomerNumber makes a Log Called.
func (l *Log) CustomerNumber() string { return l.Customer }

func (s seen) Rows(relation string) []filter.Row {
	rows := s.row.Rows(relation)
	for i, r := range rows {
		rows[i] = seen{s.view, r}
	}
	return rows
}

// Values maps each text as MapText does.
func (s seen) Values(field string) []any {
	if l, ok := s.row.(*Log); ok && field == "transcript" {
		return []any{(&Log{Turns: l.mapTurns(s.view)}).transcript()}
	}
	values := slices.Clone(s.row.Values(field))
	for i, x := range values {
		if text, ok := x.(string); ok {
			values[i] = s.text(field, text)
		}
	}
	return values
}

func (s seen) text(field, text string) string {
	prefix, key, _ := strings.Cut(field, ".")
	switch {
	case field == "customer_number":
		return s.view.Number(text)
	case field == "call_id", field == "trace_id":
		customer := ""
		if c, ok := s.row.(Called); ok {
			customer = c.CustomerNumber()
		}
		return s.view.Text(s.view.unnumbered(customer, s.view.Number(customer))(text))
	case prefix == "metadata" || prefix == "dynamic_variables":
		return s.view.keyed(key, text)
	}
	return s.view.Text(text)
}

// keyed is the text behind a key, which may say that it is a telephone number.
func (v *View) keyed(key, text string) string {
	if isNumberKey(key) {
		return v.Number(text)
	}
	return v.Text(text)
}

// isNumberKey tells by the name of a key that its value is a telephone number.
func isNumberKey(key string) bool {
	switch strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(key), "-", "_"), " ", "_") {
	case "from", "to", "from_number", "to_number", "fromnumber", "tonumber", "caller_id", "callerid", "caller", "callee", "caller_number", "callernumber",
		"called_number", "customer_number", "customernumber", "phone", "phone_number", "phonenumber", "customer_phone", "mobile", "mobile_number",
		"telephone", "msisdn", "ani", "dnis", "cell", "cell_phone", "sip_from", "sip_to", "contact_number", "callback_number", "user_phone", "user_number":
		return true
	}
	return false
}

// unnumbered writes the digits of a customer's number in a name as v has them,
// if it hides any: all of them, or what is left without the country's code.
func (v *View) unnumbered(customer, masked string) func(string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, customer)
	if len(digits) < leastNumber {
		return func(s string) string { return s }
	}
	if masked == v.Name(customer) {
		return func(s string) string { return s }
	}
	return func(s string) string {
		if strings.Contains(s, digits) {
			return strings.ReplaceAll(s, digits, strings.TrimPrefix(masked, "+"))
		}
		for n := len(digits) - 1; n >= leastNumber; n-- {
			if end := digits[len(digits)-n:]; strings.Contains(s, end) {
				return strings.ReplaceAll(s, end, v.Number(end))
			}
		}
		return s
	}
}

// leastNumber is how many digits of a customer's number are no chance in a name.
const leastNumber = 7
