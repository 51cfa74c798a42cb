package filter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The limits of a filter, far above what people and models write.
const (
	maxBytes   = 64 << 10
	maxDepth   = 20
	maxConds   = 500
	maxPacked  = 4 // times that JSON is encoded again
	maxList    = 1000
	maxOperand = 2000 // bytes of a value: each is compared with every call
)

// An Error says where a filter is wrong and what would be right, in words that
// a model can act on.
type Error struct {
	Path string // as in conditions[1].op; "" for the whole
	Msg  string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Msg
	}
	return "at " + e.Path + ": " + e.Msg
}

// Parse reads filters_v2 JSON and checks it against s. Relative times are
// resolved against at, so what Parse returns is absolute. A list of filters is
// taken as their and, an empty text or group "and" as no filter, and JSON within
// JSON, as some clients encode it, as what it holds. All errors are of type *Error.
func Parse(data []byte, s Schema, at Clock) (Expr, error) {
	if len(data) > maxBytes {
		return nil, &Error{Msg: fmt.Sprintf("the filter is longer than %d bytes", maxBytes)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	v, err := decode(data)
	if err != nil {
		return nil, &Error{Msg: fmt.Sprintf(`not JSON (%s). Example: {"field":"success","op":"eq","value":false}`, clip(err.Error(), 80))}
	}
	p := parser{schema: s, at: at}
	return p.expr(v, "", 0, "")
}

func decode(data []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err = dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err = dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more behind the filter's end")
	}
	return v, nil
}

// unpacked is what a text holds that is JSON of an object, a list or nothing, or
// of such a text; else v itself.
func unpacked(v any) any {
	for range maxPacked {
		s, ok := v.(string)
		if !ok {
			return v
		}
		if strings.TrimSpace(s) == "" {
			return nil
		}
		inner, err := decode([]byte(s))
		if err != nil {
			return v
		}
		v = inner
	}
	return v
}

type parser struct {
	schema Schema
	at     Clock
	conds  int

	programs int // instructions of its regular expressions
}

// expr parses v, found at path and depth, inside a same_row of relation.
func (p *parser) expr(v any, path string, depth int, relation string) (Expr, error) {
	if depth > maxDepth {
		return nil, &Error{path, fmt.Sprintf("groups nest deeper than %d", maxDepth)}
	}
	switch v := unpacked(v).(type) {
	case nil:
		if depth == 0 {
			return nil, nil
		}
	case []any:
		return p.group("and", v, path, depth, relation)
	case map[string]any:
		if _, ok := v["field"]; ok {
			return p.cond(v, path, relation)
		}
		return p.object(v, path, depth, relation)
	}
	return nil, &Error{path, `expected a condition {"field","op","value"} or a group {"operator","conditions"}, got ` + kindOf(v)}
}

// object parses a group: {"operator":"or","conditions":[…]}, or {"or":[…]}.
func (p *parser) object(v map[string]any, path string, depth int, relation string) (Expr, error) {
	if len(v) == 1 {
		for _, operator := range []string{"and", "or", "same_row"} {
			if parts, ok := unpacked(v[operator]).([]any); ok {
				return p.group(operator, parts, join(path, operator), depth, relation)
			}
		}
	}
	if err := onlyKeys(v, path, "operator", "conditions"); err != nil {
		return nil, err
	}
	operator, ok := v["operator"].(string)
	operator = strings.ToLower(operator)
	if v["operator"] == nil && v["conditions"] != nil {
		operator, ok = "and", true // what a list of conditions most likely means
	}
	if !ok || !slices.Contains([]string{"and", "or", "same_row"}, operator) {
		return nil, &Error{join(path, "operator"), fmt.Sprintf("%s is not a group operator; it can be and, or, same_row", show(v["operator"]))}
	}
	parts, ok := unpacked(v["conditions"]).([]any)
	if !ok {
		return nil, &Error{join(path, "conditions"), "expected a list of conditions, got " + kindOf(v["conditions"])}
	}
	return p.group(operator, parts, join(path, "conditions"), depth, relation)
}

func (p *parser) group(operator string, parts []any, path string, depth int, relation string) (Expr, error) {
	if operator == "same_row" {
		if relation != "" {
			return nil, &Error{path, "same_row cannot stand inside same_row"}
		}
		if relation = p.relation(parts); relation == "" {
			return nil, &Error{path, "same_row needs conditions on fields of one related row: " + strings.Join(p.related(), ", ")}
		}
	}
	if len(parts) == 0 {
		if operator == "and" {
			return nil, nil
		}
		return nil, &Error{path, "is empty, which would match nothing; leave the group out to match every call"}
	}
	exprs := make([]Expr, 0, len(parts))
	for i, part := range parts {
		e, err := p.expr(part, fmt.Sprintf("%s[%d]", path, i), depth+1, relation)
		if err != nil {
			return nil, err
		}
		if e == nil && operator == "or" {
			return nil, &Error{fmt.Sprintf("%s[%d]", path, i), "is empty and would match every call"}
		}
		if e != nil {
			exprs = append(exprs, e)
		}
	}
	switch {
	case operator == "same_row":
		return SameRow(exprs), nil
	case len(exprs) == 1:
		return exprs[0], nil
	case len(exprs) == 0:
		return nil, nil
	case operator == "or":
		return Or(exprs), nil
	}
	return And(exprs), nil
}

// relation is that of the first condition in parts that has a field.
func (p *parser) relation(parts []any) string {
	for _, part := range parts {
		m, _ := unpacked(part).(map[string]any)
		if name, ok := m["field"].(string); ok {
			f, _ := p.schema.Field(name)
			return f.Relation
		}
		for _, key := range []string{"conditions", "and", "or"} {
			if inner, ok := unpacked(m[key]).([]any); ok {
				return p.relation(inner)
			}
		}
	}
	return ""
}

func (p *parser) related() (names []string) {
	for _, f := range p.schema {
		if f.Relation != "" {
			names = append(names, f.Name)
		}
	}
	return names
}

func (p *parser) cond(v map[string]any, path, relation string) (Expr, error) {
	if p.conds++; p.conds > maxConds {
		return nil, &Error{path, fmt.Sprintf("there are more than %d conditions", maxConds)}
	}
	if op, ok := v["operator"]; ok && v["op"] == nil {
		v["op"] = op
		delete(v, "operator")
	}
	if err := onlyKeys(v, path, "field", "op", "value"); err != nil {
		return nil, err
	}
	name, _ := v["field"].(string)
	f, ok := p.schema.Field(name)
	if !ok {
		return nil, p.unknownField(join(path, "field"), v["field"], name)
	}
	if relation != "" && f.Relation != relation {
		return nil, &Error{join(path, "field"), fmt.Sprintf("%s is not a field of %s, and same_row holds only those: %s", f.Name, relation, strings.Join(p.related(), ", "))}
	}
	op, err := p.op(f, v["op"], join(path, "op"))
	if err != nil {
		return nil, err
	}
	given, ok := v["value"]
	if !ok {
		return nil, &Error{path, "value is missing. Example: " + example(f, op)}
	}
	val, msg := p.value(f, op, given)
	if msg != "" {
		return nil, &Error{join(path, "value"), msg}
	}
	return f.Cased(Cond{Field: f.Name, Op: op, Value: val}), nil
}

func (p *parser) unknownField(path string, given any, name string) error {
	names := p.schema.Names()
	msg := "no field " + show(given) + "."
	if near := Closest(name, names); near != "" {
		msg += " Did you mean " + near + "?"
	}
	for _, f := range p.schema {
		if prefix, _, ok := strings.Cut(f.Name, ".KEY"); ok && strings.HasPrefix(name, prefix+".") {
			msg = fmt.Sprintf("%s takes one key, without further dots: %s", show(given), f.Name)
			return &Error{path, msg}
		}
	}
	return &Error{path, msg + " Fields: " + strings.Join(names, ", ")}
}

func (p *parser) op(f Field, given any, path string) (Op, error) {
	s, _ := given.(string)
	op := Op(strings.ToLower(strings.TrimSpace(s)))
	signs := map[Op]Op{"=": Eq, "==": Eq, "!=": Neq, "<>": Neq, "ne": Neq, ">": Gt, ">=": Gte, "<": Lt, "<=": Lte}
	if o, ok := signs[op]; ok {
		op = o
	}
	can := f.Can()
	if slices.Contains(can, op) {
		return op, nil
	}
	words := make([]string, len(can))
	for i, o := range can {
		words[i] = string(o)
	}
	msg := fmt.Sprintf("%s cannot %s; it can %s.", f.Name, show(given), strings.Join(words, ", "))
	if given == nil {
		msg = fmt.Sprintf("op is missing; %s can %s.", f.Name, strings.Join(words, ", "))
	}
	return "", &Error{path, msg + " Example: " + example(f, can[min(2, len(can)-1)])}
}

func onlyKeys(v map[string]any, path string, allowed ...string) error {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(allowed, key) {
			msg := fmt.Sprintf("unknown key %q.", clip(key, 40))
			if near := Closest(key, allowed); near != "" {
				msg += " Did you mean " + near + "?"
			}
			return &Error{path, msg + ` A condition has "field", "op", "value"; a group has "operator", "conditions"`}
		}
	}
	return nil
}

// example is a condition that would be right.
func example(f Field, op Op) string {
	v := f.Example
	if v == "" {
		v = map[Kind]string{Number: "60", Bool: "false", Time: `"now-7d"`, Text: `"…"`, Dynamic: "5"}[f.Kind]
	}
	switch op {
	case IsNull:
		v = "true"
	case In:
		v = "[" + v + "]"
	}
	return fmt.Sprintf(`{"field":%q,"op":%q,"value":%s}`, f.Name, op, v)
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil || v == nil {
		return "null"
	}
	return clip(string(b), 60)
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool, json.Number:
		return show(v)
	case []any:
		return "a list"
	}
	return "an object"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
