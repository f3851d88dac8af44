package rsql

// Canonical is the one spelling of a filter from Parse: signs for words and operators by their String, no blanks, no
// parentheses that change nothing, a value bare where it is plain and in double quotes where it is not. Order, stars and
// the case of selectors stay. Parse of it returns the same filter, but for the offsets.
func Canonical(e Expr) string { return string(appendExpr(nil, e, false)) }

// appendExpr puts an Or inside an And in parentheses; an And or Or inside its own kind dissolves.
func appendExpr(dst []byte, e Expr, insideAnd bool) []byte {
	switch e := e.(type) {
	case And:
		return appendJoined(dst, e, ';', insideAnd || len(e) > 1)
	case Or:
		if insideAnd && len(e) > 1 {
			dst = append(dst, '(')
			dst = appendJoined(dst, e, ',', false)
			return append(dst, ')')
		}
		return appendJoined(dst, e, ',', insideAnd)
	case Comparison:
		return appendComparison(dst, e)
	}
	return dst
}

func appendJoined(dst []byte, members []Expr, sign byte, insideAnd bool) []byte {
	for i, member := range members {
		if i > 0 {
			dst = append(dst, sign)
		}
		dst = appendExpr(dst, member, insideAnd)
	}
	return dst
}

func appendComparison(dst []byte, c Comparison) []byte {
	dst = append(dst, c.Selector...)
	dst = append(dst, c.Op.String()...)
	listed := c.Op == In || c.Op == Out
	if listed {
		dst = append(dst, '(')
	}
	for i, v := range c.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v)
	}
	if listed {
		dst = append(dst, ')')
	}
	return dst
}

func appendValue(dst []byte, v Value) []byte {
	quoted := !plain(v)
	if quoted {
		dst = append(dst, '"')
	}
	for i, part := range v.Parts {
		if i > 0 {
			dst = append(dst, '*')
		}
		for j := range len(part) {
			if c := part[j]; c == '"' || c == '\\' || c == '*' {
				dst = append(dst, '\\')
			}
			dst = append(dst, part[j])
		}
	}
	if quoted {
		dst = append(dst, '"')
	}
	return dst
}

// plain tells whether a value is written without quotes: letters, digits and _ - . : / + @ of ASCII, and stars.
func plain(v Value) bool {
	for _, part := range v.Parts {
		for i := range len(part) {
			if c := part[i]; !letter(c) && !digit(c) && c != '_' && (c < '+' || c > ':' || c == ',') && c != '@' {
				return false
			}
		}
	}
	return v.Text != ""
}
