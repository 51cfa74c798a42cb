package filter

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// value reads v as an operand of f and op, or says what is wrong with it.
func (p *parser) value(f Field, op Op, v any) (any, string) {
	if s, ok := v.(string); ok && len(s) > maxOperand && op != In && op != Regex {
		return nil, fmt.Sprintf("a value has at most %d bytes, this one %d", maxOperand, len(s))
	}
	switch op {
	case IsNull:
		if b, ok := boolean(v); ok {
			return b, ""
		}
		return nil, fmt.Sprintf("isnull takes true (absent) or false (present), got %s", show(v))
	case In:
		return p.list(f, v)
	case Regex:
		re, msg := p.pattern(v)
		if msg != "" {
			return nil, msg
		}
		return re, ""
	case Contains, StartsWith, EndsWith:
		if s, ok := scalarText(v); ok && s != "" {
			return s, ""
		}
		return nil, fmt.Sprintf("%s takes a text, got %s", op, show(v))
	}
	if v == nil && (op == Eq || op == Neq) {
		return nil, "" // SQL's meaning: nothing compares with null
	}
	return p.scalar(f, op, v)
}

func (p *parser) list(f Field, v any) (any, string) {
	items, ok := v.([]any)
	if s, isText := v.(string); !ok && isText {
		for part := range strings.SplitSeq(s, ",") {
			items = append(items, strings.TrimSpace(part))
		}
		ok = true
	}
	if !ok || len(items) == 0 || len(items) > maxList {
		return nil, fmt.Sprintf("in takes a list of 1 to %d values, got %s", maxList, show(v))
	}
	out := make([]any, len(items))
	for i, item := range items {
		if item == nil {
			continue
		}
		if s, ok := item.(string); ok && len(s) > maxOperand {
			return nil, fmt.Sprintf("[%d] a value has at most %d bytes, this one %d", i, maxOperand, len(s))
		}
		val, msg := p.scalar(f, In, item)
		if msg != "" {
			return nil, fmt.Sprintf("[%d] %s", i, msg)
		}
		out[i] = val
	}
	return out, ""
}

func (p *parser) scalar(f Field, op Op, v any) (any, string) {
	switch f.Kind {
	case Number:
		if n, ok := numeric(v); ok {
			return n, ""
		}
	case Bool:
		if b, ok := boolean(v); ok {
			return b, ""
		}
	case Time:
		s, ok := scalarText(v) // an epoch may be a number
		if _, isBool := v.(bool); !ok || isBool {
			break
		}
		t, err := p.at.bound(s, op)
		if err != nil {
			return nil, err.Error()
		}
		return t, ""
	case Text:
		if s, ok := scalarText(v); ok {
			if f.Phone {
				return Operand(s), ""
			}
			return s, ""
		}
	case Dynamic:
		if s, ok := scalarText(v); ok && decimal(s) {
			n, _ := strconv.ParseFloat(s, 64) // decimal says it parses
			return n, ""
		} else if ok && op != Gt && op != Gte && op != Lt && op != Lte {
			return s, ""
		}
		return nil, fmt.Sprintf("%s takes a number here, got %s", f.Name, show(v))
	}
	want := map[Kind]string{Number: "a number", Bool: "true or false", Time: `a time such as "now-7d" or "2026-11-17T09:00:00Z"`, Text: "a text"}[f.Kind]
	return nil, fmt.Sprintf("%s takes %s, got %s", f.Name, want, show(v))
}

func numeric(v any) (float64, bool) {
	s, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		s, ok = n.String(), true
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return n, ok && err == nil && n-n == 0 // neither infinite nor NaN
}

func boolean(v any) (value, ok bool) {
	switch v {
	case true, "true", "True":
		return true, true
	case false, "false", "False":
		return false, true
	}
	return false, false
}

// scalarText is v as Text compares it: whole numbers without a fraction.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return text(v), true
	case json.Number:
		if n, ok := numeric(v); ok && strings.ContainsAny(v.String(), ".eE") {
			return text(n), true
		}
		return v.String(), true
	}
	return "", false
}
