package device

import "time"

// Columns are the narrow, indexed values of one cut record. "" , nil and the zero time mean unknown.
type Columns struct {
	SerialNumber    string // trimmed, upper case, sentinels removed
	UDID            string // as Jamf writes it
	ManagementID    string
	AssetTag        string
	Name            string
	Platform        string // normalized os.platform: macos, ios, ipados, tvos, watchos, visionos, unknown
	OSVersion       string // versionNormalized
	ModelIdentifier string
	Managed         *bool
	LastContact     time.Time // newest of last contact and last check-in
	LastInventory   time.Time
}

// ColumnsOf derives the columns from a cut record. The error is *RecordError.
func ColumnsOf(k Kind, record []byte) (Columns, error) {
	r, err := read(k, fieldTable().everything, record)
	if err != nil {
		return Columns{}, err
	}
	defer r.release()
	c := Columns{
		SerialNumber:    parseSerial(r.find("identity.serialNumber")),
		UDID:            string(r.find("identity.udid")),
		ManagementID:    string(r.find("identity.managementId")),
		AssetTag:        string(r.find("identity.assetTag")),
		Name:            string(r.find("name")),
		Platform:        r.platform(),
		OSVersion:       versionNormalized(r.find("os.version")),
		ModelIdentifier: string(r.find("model.identifier")),
		Managed:         parseBool(r.find("management.managed")),
		LastContact:     r.time("lastContactAt"),
		LastInventory:   r.time("lastInventoryAt"),
	}
	if checkIn := r.time("lastCheckInAt"); checkIn.After(c.LastContact) {
		c.LastContact = checkIn
	}
	return c, nil
}

// time is the time of a normalized field, zero when it is unknown or unreadable.
func (r *reader) time(normalized string) time.Time {
	at, _, _ := parseTime(r.find(normalized))
	return at
}
