package usage

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
)

// vocabulary is the words that may be kept although a client has written them. It does not change after it was made.
type vocabulary struct {
	segments   map[string]struct{}
	parameters []string       // by bit
	bits       map[string]int // parameter -> bit
	media      []string       // by bit
	codings    []string
	fields     map[string]struct{} // the parts of the names of fields
	places     uint64              // the parameters that say which page of a list is meant
}

func newVocabulary(fields []string) *vocabulary {
	v := &vocabulary{
		segments: map[string]struct{}{}, fields: map[string]struct{}{}, parameters: strings.Fields(parameterWords), bits: map[string]int{},
		media: strings.Fields(mediaWords), codings: strings.Fields(codingWords),
	}
	for word := range strings.FieldsSeq(segmentWords) {
		v.segments[word] = struct{}{}
	}
	for bit, name := range v.parameters {
		v.bits[name] = bit
	}
	v.places = 1<<v.bits["page"] | 1<<v.bits["cursor"]
	for _, word := range fields {
		v.fields[word] = struct{}{}
	}
	return v
}

// The parameters of both APIs; at most 64, each one bit of a set.
const parameterWords = `page page-size pagesize size section sort filter exception-handling platform id
	source kind serialNumber udid name limit cursor require fields
	grant_type client_id client_secret scope username password state pageSize page_size`

// The media types and content codings that are told apart.
const (
	mediaWords  = `application/json application/xml text/xml text/html text/plain application/* text/* */*`
	codingWords = `gzip deflate br zstd identity *`
	otherWord   = "other"
	noneWord    = "none"
)

// The words of the paths of Jamf Pro's API, of its Classic API, and of the gateway.
const segmentWords = `api uapi JSSResource jamf pro proclassic tenant healthCheck.html openapi.yaml livez readyz
	accounts account-driven-user-enrollment account-preferences activation-code active-directory adue-session-token-settings
	advanced-mobile-device-searches advanced-user-content-searches advancedcomputersearches advancedmobiledevicesearches
	advancedusersearches allowedfileextensions api-authentication api-integrations api-roles api-role-privileges app-dynamics
	app-installers app-request app-store-country-codes applications attachments auth authorization azure branding-images
	bookmarks buildings byoprofiles cache-settings categories certificate-authority change-management classes classic-ldap
	client-check-in client-credentials cloud-azure cloud-distribution-point cloud-idp cloud-ldaps command commands
	computer-extension-attributes computer-group computer-groups computer-inventory-collection-settings computer-prestages
	computerapplications computerapplicationusage computercheckin computercommands computerconfigurations
	computerextensionattributes computergroups computerhardwaresoftwarereports computerhistory computerinventorycollection
	computerinvitations computermanagement computerreports computers computers-inventory computers-inventory-detail conditional-access
	csa current dashboard ddm declarative-device-management departments detail device-communication-settings device-enrollments
	devices diskencryptionconfigurations distributionpoints directorybindings dock-items dockitems dss-declarations ebooks
	engage enrollment enrollment-customization enrollment-customizations erase export ezeep filevault fileuploads gsxconnection
	gsx-connection groups health health-check health-status history home ibeacons icon infrastructuremanager
	infrastructure-managers instances inventory-information inventory-preload invalidate-token jamf-connect
	jamf-management-framework jamf-package jamf-pro-information jamf-pro-server-url jamf-pro-version jamf-protect jcds
	jsonwebtokenconfigurations jssuser keep-alive ldap ldapservers licensedsoftware local-admin-password locales login-customization
	logflush macapplications macosconfigurationprofiles managed-software-updates management mdm mobile-device-apps
	mobile-device-enrollment-profile mobile-device-extension-attributes mobile-device-groups mobile-device-prestages
	mobile-devices mobiledeviceapplications mobiledevicecommands mobiledeviceconfigurationprofiles
	mobiledeviceenrollmentprofiles mobiledeviceextensionattributes mobiledevicegroups mobiledevicehistory
	mobiledeviceinvitations mobiledeviceprovisioningprofiles mobiledevices netbootservers networksegments notifications oauth
	oidc onboarding osxconfigurationprofiles packages paired-devices parent-app patch patch-management-accept-disclaimer
	patch-policies patch-software-title-configurations patches patchexternalsources patchinternalsources patchpolicies
	patchreports patchsoftwaretitles peripherals peripheraltypes policies policy-properties printers privileges reenrollment
	remote-administration remote-administration-configurations removablemacaddresses remove-mdm-profile restrictedsoftware
	return-to-service savedsearches scheduler scope scripts search-groups self-service self-service-branding sessions settings
	site sites slasa smart-computer-groups smart-mobile-device-groups smart-user-groups smtp-server smtpserver
	softwareupdateservers sso startup-status static-computer-groups static-mobile-device-groups static-user-groups
	status subset supervision-identities tasks team-viewer-remote-administration teacher-app test time-zones token tokens
	user user-groups user-initiated-enrollment userextensionattributes usergroups userinitiatedenrollment users validate
	venafi view-device-lock-pin view-recovery-lock-password volume-purchasing-locations volume-purchasing-subscriptions
	vppaccounts vppassignments vppinvitations webhooks wifi
	id name udid serialnumber macaddress match username email
	basic general location purchasing hardware certificates security software extension-attributes extensionattributes
	configurationprofiles groupsaccounts network provisioningprofiles mobiledevicegroups
	recalculate-smart-groups unmanage sources admin clients usage availability sync`

const (
	maxSegments = 10
	maxWord     = 40
	hidden      = "{}"
)

// template keeps of a path what is known to be no value: the words of the vocabulary. Whatever else looks like the name of a
// resource may be a serial number or a person.
func (v *vocabulary) template(path []byte) string {
	var out strings.Builder
	rest := bytes.TrimPrefix(path, []byte("/"))
	if below, ok := bytes.CutPrefix(rest, []byte("jamf/")); ok && len(below) > 0 {
		out.WriteString("/jamf/{source}")
		_, rest, ok = bytes.Cut(below, []byte("/"))
		if !ok {
			return out.String()
		}
	}
	for n := 0; ; n++ {
		segment, after, more := bytes.Cut(rest, []byte("/"))
		out.WriteByte('/')
		_, known := v.segments[string(segment)]
		switch {
		case n == maxSegments:
			out.WriteString("...")
			return out.String()
		case known || version(segment):
			out.Write(segment)
		case len(segment) > 0:
			out.WriteString(hidden)
		}
		if !more {
			return out.String()
		}
		rest = after
	}
}

// version tells that a segment is that of a version, v1 to v9.
func version(segment []byte) bool {
	return len(segment) == 2 && segment[0] == 'v' && segment[1] >= '1' && segment[1] <= '9'
}

// named reads the names of a query: those of the vocabulary as a set, the others as text, sorted, each once, and only where trusted says that a
// client of the settings has sent them. Without others it does not allocate.
func (v *vocabulary) named(query []byte, trusted bool) (known uint64, others string) {
	var more []string
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		name, _, _ := bytes.Cut(pair, []byte("="))
		if len(name) == 0 {
			continue
		}
		bit, ok := v.bits[string(name)]
		if !ok && bytes.ContainsAny(name, "%+") {
			if plain, err := url.QueryUnescape(string(name)); err == nil {
				name = []byte(plain)
				bit, ok = v.bits[plain]
			}
		}
		switch {
		case ok:
			known |= 1 << bit
		case len(more) == maxOthers:
		case !trusted:
			more = append(more, otherWord)
		default:
			more = append(more, nameOrOther(string(name)))
		}
	}
	if len(more) == 0 {
		return known, ""
	}
	slices.Sort(more)
	return known, strings.Join(slices.Compact(more), " ")
}

// maxOthers is how many unknown parameters of one request are looked at.
const maxOthers = 8

// parameter is the name of a parameter as it may be kept.
func (v *vocabulary) parameter(name string, trusted bool) string {
	if _, known := v.bits[name]; known || name == "" {
		return name
	}
	if !trusted {
		return otherWord
	}
	return nameOrOther(name)
}

// maxName is the longest name of a parameter that is kept.
const maxName = 24

func nameOrOther(name string) string {
	if len(name) > maxName || !identifier(name) {
		return otherWord
	}
	return name
}

// field is the name of a field as it may be kept: all its parts are words of fields.
func (v *vocabulary) field(name string) string {
	parts := 0
	for part := range strings.SplitSeq(name, ".") {
		if _, known := v.fields[part]; !known || parts == maxOthers {
			return otherWord
		}
		parts++
	}
	return name
}

// orders are the names of a sort with their directions: "id asc".
func (v *vocabulary) orders(sort string) []string {
	var out []string
	for item := range strings.SplitSeq(sort, ",") {
		name, direction, directed := strings.Cut(strings.TrimSpace(item), ":")
		if name == "" || len(out) == maxOthers {
			continue
		}
		order := v.field(name)
		switch direction = strings.ToLower(direction); {
		case direction == "asc" || direction == "desc":
			order += " " + direction
		case directed:
			order += " " + otherWord
		}
		out = append(out, order)
	}
	return out
}

// identifier tells that a text has the form of the name of a parameter: it begins with a small letter, and has at most two digits and
// no long run of capitals. Serial numbers, hardware addresses, UUIDs and tokens have not.
func identifier(s string) bool {
	digits, capitals := 0, 0
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z':
			capitals = 0
		case i == 0:
			return false
		case r >= 'A' && r <= 'Z':
			capitals++
		case r >= '0' && r <= '9':
			digits++
		case r == '-' || r == '_':
			capitals = 0
		default:
			return false
		}
		if digits > 2 || capitals > 4 {
			return false
		}
	}
	return s != ""
}

// names lists a set of parameters and the others of the same request.
func (v *vocabulary) names(known uint64, others string) []string {
	out := []string{}
	for bit, name := range v.parameters {
		if known>>bit&1 == 1 {
			out = append(out, name)
		}
	}
	return append(out, strings.Fields(others)...)
}

// set is names, read back.
func (v *vocabulary) set(names []string) (known uint64, others string) {
	var more []string
	for _, name := range names {
		if bit, ok := v.bits[name]; ok {
			known |= 1 << bit
		} else {
			more = append(more, nameOrOther(name))
		}
	}
	slices.Sort(more)
	return known, strings.Join(slices.Compact(more), " ")
}

// listed reads the members of a header like Accept as a set of words; the bit after the last one is anything else, 0 an
// absent header.
func listed(header []byte, words []string) (set uint16) {
	for len(header) > 0 {
		var item []byte
		item, header, _ = bytes.Cut(header, []byte(","))
		item, _, _ = bytes.Cut(item, []byte(";"))
		if item = bytes.TrimSpace(item); len(item) == 0 {
			continue
		}
		bit := slices.IndexFunc(words, func(w string) bool { return equalFold(item, w) })
		if bit < 0 {
			bit = len(words)
		}
		set |= 1 << bit
	}
	return set
}

// equalFold compares with a lower-case ASCII word, without allocating.
func equalFold(item []byte, word string) bool {
	if len(item) != len(word) {
		return false
	}
	for i, b := range item {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != word[i] {
			return false
		}
	}
	return true
}

// spelled writes a set of words.
func spelled(set uint16, words []string) string {
	if set == 0 {
		return noneWord
	}
	var out []string
	for bit, word := range append(slices.Clone(words), otherWord) {
		if set>>bit&1 == 1 {
			out = append(out, word)
		}
	}
	return strings.Join(out, ", ")
}

// unspelled is spelled, read back.
func unspelled(text string, words []string) (set uint16) {
	if text == noneWord {
		return 0
	}
	return listed([]byte(text), words)
}

// product is the first product of a User-Agent (RFC 9110, 10.1.5), name and version; nil when it has not the form of one.
func product(header []byte) []byte {
	first, _, _ := bytes.Cut(header, []byte(" "))
	name, version, ok := bytes.Cut(first, []byte("/"))
	if !ok || len(name) == 0 || len(name) > maxWord || len(version) == 0 || len(version) > maxVersion {
		return nil
	}
	digits := 0
	for i, b := range name {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', i > 0 && (b == '-' || b == '_' || b == '.'):
		case i > 0 && b >= '0' && b <= '9':
			digits++
		default:
			return nil
		}
	}
	if digits > 3 || !versionNumber(version) {
		return nil
	}
	return first
}

const maxVersion = 20

// versionNumber tells that a text looks like 1.2.3-rc.4: numbers and dots, and few letters.
func versionNumber(text []byte) bool {
	letters := 0
	for i, b := range text {
		switch {
		case b >= '0' && b <= '9':
		case i == 0:
			return false
		case b == '.' || b == '-' || b == '_' || b == '+':
		case b >= 'a' && b <= 'z':
			letters++
		default:
			return false
		}
	}
	return letters <= 8
}
