package device

import "time"

// Columns are the values of one cut record by which a generation finds it. "", nil and the zero time mean unknown.
type Columns struct {
	SerialNumber string    // trimmed, upper case, sentinels removed
	LastContact  time.Time // newest of last contact and last check-in
	Facts        []any     // of the columns that ColumnsOf was asked for, as Facts gives them
	Terms        []Truth   // what a TermReader says of it; nil = nothing is known
}

// ColumnsOf derives the columns from a cut record, and the facts in the same reading. The error is *RecordError.
func ColumnsOf(k Kind, facts []Column, record []byte) (Columns, error) {
	r, err := read(k, fieldTable().everything, record)
	if err != nil {
		return Columns{}, err
	}
	defer r.release()
	c := Columns{SerialNumber: parseSerial(r.find("identity.serialNumber")), LastContact: r.time("lastContactAt")}
	if checkIn := r.time("lastCheckInAt"); checkIn.After(c.LastContact) {
		c.LastContact = checkIn
	}
	c.Facts, err = r.facts(facts)
	return c, err
}

// time is the time of a normalized field, zero when it is unknown or unreadable.
func (r *reader) time(normalized string) time.Time {
	at, _, _ := parseTime(r.find(normalized))
	return at
}
