package fakejamf

// dice is a splitmix64 stream: the same seed gives the same throws on every machine and Go version, without an allocation.
type dice uint64

// roll starts the stream that belongs to one thing: the same parts, the same throws.
func roll(parts ...uint64) dice {
	d := dice(0x9E3779B97F4A7C15)
	for _, p := range parts {
		d ^= dice(p)
		d = dice(d.next())
	}
	return d
}

func (d *dice) next() uint64 {
	*d += 0x9E3779B97F4A7C15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// n throws a number in [0, k).
func (d *dice) n(k int) int {
	if k <= 0 {
		return 0
	}
	return int(d.next() >> 1 % uint64(k))
}

// in throws a number in [from, to].
func (d *dice) in(from, to int) int { return from + d.n(to-from+1) }

// permille is true in k of 1000 throws.
func (d *dice) permille(k int) bool { return d.n(1000) < k }

// chance is true with probability p.
func (d *dice) chance(p float64) bool {
	if p <= 0 {
		return false
	}
	return float64(d.next()>>11)/(1<<53) < p
}

// pick throws one of the elements.
func pick[T any](d *dice, of []T) T { return of[d.n(len(of))] }

// hex throws n hexadecimal digits out of an alphabet of sixteen.
func (d *dice) hex(n int, upper bool) string {
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	return d.letters(n, digits)
}

// letters throws n letters out of an alphabet.
func (d *dice) letters(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.n(len(alphabet))]
	}
	return string(b)
}

// uuid throws the 36 characters of a UUID.
func (d *dice) uuid(upper bool) string {
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	var b [36]byte
	x := d.next()
	for i := range b {
		switch i {
		case 8, 13, 18, 23:
			b[i] = '-'
			continue
		case 19:
			x = d.next()
		}
		b[i] = digits[x&15]
		x >>= 4
	}
	b[14] = '4'
	return string(b[:])
}

// mac throws a locally administered hardware address.
func (d *dice) mac(upper bool) string {
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	x := d.next()
	var b [17]byte
	for i := range b {
		if i%3 == 2 {
			b[i] = ':'
			continue
		}
		b[i] = digits[x&15]
		x >>= 4
	}
	b[1] = digits[2]
	return string(b[:])
}
