//go:build e2e

package e2e_test

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What follows answers filters and sorts over the records that the façade shows. It is written from docs/compatibility.md
// and shares no code with the gateway.

// listed is one list of Jamf's as the witness knows it.
type listed struct {
	path     string
	idKey    string
	standard string // the name that it is sorted by where nobody says
	section  string // a small one
	names    map[string]named
	records  []record // in the order of ids
}

// named is one name that a filter or a sort may use.
type named struct {
	name, reads  string // text, number, boolean, time, id, many
	path         []string
	filter, sort bool
}

// record is one device as the list shows it.
type record struct {
	id    int64
	shown map[string]any
	known map[string][]string // name -> its values, once they were asked for
}

// Names by use and type, from the descriptions of filter and sort in Jamf's document. "name=key" where the record says
// it otherwise; the section of mobile devices stands in front.
const (
	computerNames = `
fs text general.name udid general.assetTag general.jamfBinaryVersion general.platform general.lastLoggedInUsernameSelfService
fs text general.lastLoggedInUsernameBinary general.lastLoggedInUsernameMdm hardware.make hardware.model operatingSystem.build
fs text operatingSystem.supplementalBuildVersion operatingSystem.rapidSecurityResponse operatingSystem.name operatingSystem.version userAndLocation.realname
fs time general.lastEnrolledDate general.lastCloudBackupDate general.reportDate general.lastLoggedInUsernameSelfServiceTimestamp
fs time general.lastLoggedInUsernameBinaryTimestamp general.lastLoggedInUsernameMdmTimestamp purchasing.warrantyDate
fs number purchasing.lifeExpectancy
fs id id
f text general.barcode1 general.barcode2 general.lastIpAddress general.lastReportedIpV4 general.lastReportedIpV6 general.managementId
f text hardware.macAddress hardware.modelIdentifier hardware.serialNumber operatingSystem.activeDirectoryStatus operatingSystem.fileVault2Status
f text userAndLocation.buildingId userAndLocation.departmentId userAndLocation.email userAndLocation.phone userAndLocation.position
f text userAndLocation.room userAndLocation.username purchasing.appleCareId purchasing.vendor
f boolean general.enrolledViaAutomatedDeviceEnrollment general.itunesStoreAccountActive general.remoteManagement.managed general.mdmCapable.capable
f boolean general.supervised general.userApprovedMdm general.declarativeDeviceManagementEnabled hardware.bleCapable hardware.supportsIosAppInstalls
f boolean hardware.appleSilicon security.activationLockEnabled security.recoveryLockEnabled security.firewallEnabled diskEncryption.fileVault2Enabled
f boolean purchasing.purchased purchasing.leased`
	computerNamesUpTo3 = `
fs time general.lastContactTime
f text general.lastReportedIp`
	computerNamesOf4 = `
fs time general.lastCheckIn general.lastContact
f text general.lastReportedIp=general.lastReportedIpV4`
	detailNames = `
fs id mobileDeviceId
fs boolean general: appAnalyticsEnabled declarativeDeviceManagementEnabled deviceLocatorServiceEnabled diagnosticAndUsageReportingEnabled doNotDisturbEnabled
fs boolean general: cloudBackupEnabled itunesStoreAccountActive locationServicesForSelfServiceMobileEnabled managed sharedIpad supervised tethered
s boolean general: enrollmentSessionTokenValid
fs number general: quotaSize residentUsers
fs text general: assetTag displayName exchangeDeviceId osBuild osSupplementalBuildVersion osVersion osRapidSecurityResponse ipAddress managementId languages
fs text general: locales timeZone udid lastLoggedInUsernameSelfService lastLoggedInUsernameMdm
s text general: deviceOwnershipType
fs time general: lastContactDate lastInventoryUpdateDate lastLoggedInUsernameSelfServiceTimestamp lastLoggedInUsernameMdmTimestamp
s time general: lastBackupDate lastEnrolledDate lastCloudBackupDate mdmProfileExpirationDate
f many groups: groupId groupName
fs boolean hardware: bluetoothLowEnergyCapable
fs number hardware: availableSpaceMb batteryLevel capacityMb usedSpacePercentage
fs text hardware: bluetoothMacAddress deviceId model modelIdentifier modelNumber modemFirmwareVersion serialNumber wifiMacAddress
s text hardware: batteryHealth
fs boolean network: dataRoamingEnabled personalHotspotEnabled roaming
s boolean network: voiceRoamingEnabled
fs text network: preferredVoiceNumber carrierSettingsVersion currentCarrierNetwork currentMobileCountryCode
fs text network: currentMobileNetworkCode eid homeMobileCountryCode homeMobileNetworkCode iccid imei meid
s text network: cellularTechnology
fs text purchasing: appleCareId poNumber purchasePrice purchasingAccount purchasingContact vendor
s time purchasing: leaseExpirationDate=leaseExpiresDate poDate warrantyExpirationDate=warrantyExpiresDate
fs boolean security: lostModeEnabled activationLockEnabled blockEncryptionCapable=blockLevelEncryptionCapable dataProtection=dataProtected
fs boolean security: fileEncryptionCapable=fileLevelEncryptionCapable passcodeCompliant passcodeCompliantWithProfile passcodePresent
fs number security: passcodeLockGracePeriodEnforcedSeconds
fs text userAndLocation: building department emailAddress userPhoneNumber=phoneNumber position room username`
	plainNames = `
s id id
s text name serialNumber wifiMacAddress udid phoneNumber model modelIdentifier username type managementId softwareUpdateDeviceId`
)

func namesOf(tables ...string) map[string]named {
	out := map[string]named{}
	for line := range strings.Lines(strings.Join(tables, "\n")) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		section := ""
		for _, word := range words[2:] {
			if name, heading := strings.CutSuffix(word, ":"); heading {
				section = name + "."
				continue
			}
			name, key, renamed := strings.Cut(word, "=")
			if !renamed {
				key = name
			}
			out[name] = named{
				name: name, reads: words[1], path: strings.Split(section+key, "."),
				filter: strings.Contains(words[0], "f"), sort: strings.Contains(words[0], "s"),
			}
		}
	}
	return out
}

// asked is a filter: a comparison, or others joined.
type asked struct {
	joint  string // and, or; "" of a comparison
	of     []asked
	name   named
	op     string // in the long spelling: == != =in= =out= =lt= =le= =gt= =ge=
	values []pattern
}

// pattern is a value: its texts between the stars.
type pattern []string

// anything tells that the value is one star or more and nothing else.
func (p pattern) anything() bool { return len(p) > 1 && strings.Join(p, "") == "" }

// expression is the pattern for the texts that it equals.
func (p pattern) expression() *regexp.Regexp {
	quoted := make([]string, len(p))
	for i, part := range p {
		quoted[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`(?is)^` + strings.Join(quoted, ".*") + `$`)
}

// criterion is one part of a sort.
type criterion struct {
	name named
	desc bool
}

// texts are the values of a name, without what is nothing.
func (r record) texts(n named) []string {
	values, ok := r.known[n.name]
	if !ok {
		values = slices.DeleteFunc(r.all(n), func(v string) bool { return v == "" || !readable(n.reads, v) })
		r.known[n.name] = values
	}
	return values
}

// all are the texts of a name that the record shows.
func (r record) all(n named) []string {
	var out []string
	var collect func(at any, path []string)
	collect = func(at any, path []string) {
		switch v := at.(type) {
		case []any:
			for _, element := range v {
				collect(element, path)
			}
		case map[string]any:
			if len(path) > 0 {
				collect(v[path[0]], path[1:])
			}
		case string:
			out = append(out, v)
		case json.Number:
			out = append(out, v.String())
		case bool:
			out = append(out, strconv.FormatBool(v))
		}
	}
	collect(r.shown, n.path)
	return out
}

// readable tells that a text is a value of the type: what is not is as good as nothing.
func readable(reads, text string) bool {
	switch reads {
	case "number":
		return json.Valid([]byte(text)) && strings.ContainsAny(text[:1], "-0123456789")
	case "boolean":
		return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case "time":
		_, err := moment(text)
		return err == nil
	default:
		return true
	}
}

// moment is a time, or the midnight of a date, in milliseconds.
func moment(text string) (int64, error) {
	at, err := time.Parse(time.RFC3339, text)
	for _, layout := range []string{"2006-01-02T15:04:05Z0700", time.DateOnly} {
		if err != nil {
			at, err = time.Parse(layout, text)
		}
	}
	return at.UnixMilli(), err
}

// order compares two values of a type.
func order(reads, a, b string) int {
	switch reads {
	case "number":
		x, _ := strconv.ParseFloat(a, 64)
		y, _ := strconv.ParseFloat(b, 64)
		return cmp.Compare(x, y)
	case "id":
		x, _ := strconv.ParseInt(a, 10, 64)
		y, _ := strconv.ParseInt(b, 10, 64)
		return cmp.Compare(x, y)
	case "time":
		x, _ := moment(a)
		y, _ := moment(b)
		return cmp.Compare(x, y)
	default:
		return slices.Compare([]rune(strings.ToLower(a)), []rune(strings.ToLower(b)))
	}
}

// like makes the question whether a value equals the pattern.
func (p pattern) like(reads string) func(value string) bool {
	if reads == "text" || reads == "many" {
		return p.expression().MatchString
	}
	return func(value string) bool { return order(reads, p[0], value) == 0 }
}

// judge makes the answer to the filter for one record.
func (a asked) judge() func(r record) bool {
	var judges []func(r record) bool
	for _, one := range a.of {
		judges = append(judges, one.judge())
	}
	switch a.joint {
	case "and":
		return func(r record) bool {
			return !slices.ContainsFunc(judges, func(holds func(record) bool) bool { return !holds(r) })
		}
	case "or":
		return func(r record) bool {
			return slices.ContainsFunc(judges, func(holds func(record) bool) bool { return holds(r) })
		}
	}
	if a.op == "==" || a.op == "=in=" {
		return a.found()
	}
	if a.op == "!=" || a.op == "=out=" {
		found := a.found()
		return func(r record) bool { return !found(r) }
	}
	return func(r record) bool {
		values := r.texts(a.name)
		if len(values) == 0 {
			return false
		}
		switch c := order(a.name.reads, values[0], a.values[0][0]); a.op {
		case "=lt=":
			return c < 0
		case "=le=":
			return c <= 0
		case "=gt=":
			return c > 0
		default:
			return c >= 0
		}
	}
}

// found tells whether one of the values is the record's.
func (a asked) found() func(r record) bool {
	var one []func(values []string) bool
	for _, p := range a.values {
		switch {
		case p.anything():
			one = append(one, func(values []string) bool { return len(values) > 0 })
		case len(p) == 1 && p[0] == "":
			one = append(one, func(values []string) bool { return len(values) == 0 })
		default:
			like := p.like(a.name.reads)
			one = append(one, func(values []string) bool { return slices.ContainsFunc(values, like) })
		}
	}
	return func(r record) bool {
		values := r.texts(a.name)
		return slices.ContainsFunc(one, func(is func([]string) bool) bool { return is(values) })
	}
}

// compare is the order of two records by one criterion: nothing comes before everything.
func (k criterion) compare(a, b record) int {
	x, y := a.texts(k.name), b.texts(k.name)
	c := 0
	switch {
	case len(x) == 0 || len(y) == 0:
		c = len(x) - len(y)
	default:
		c = order(k.name.reads, x[0], y[0])
	}
	if k.desc {
		return -c
	}
	return c
}

// answer is the ids that a list must show, in their order. A nil filter is everything.
func (l listed) answer(filter *asked, by []criterion) []int64 {
	found := slices.Clone(l.records)
	if filter != nil {
		holds := filter.judge()
		found = slices.DeleteFunc(found, func(r record) bool { return !holds(r) })
	}
	if len(by) == 0 {
		by = []criterion{{name: l.names[l.standard]}}
	}
	slices.SortStableFunc(found, func(a, b record) int {
		for _, k := range by {
			if c := k.compare(a, b); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.id, b.id)
	})
	ids := make([]int64, len(found))
	for i, r := range found {
		ids[i] = r.id
	}
	return ids
}

// plainText tells that a text can stand in a filter at all.
func plainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}
