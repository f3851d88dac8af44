package device

import (
	"cmp"
	"slices"
	"strings"
)

// slip is how many letters of a known name are usually wrong.
const slip = 2

// lastPart is the last key of a name: serialNumber of identity.serialNumber.
func lastPart(name string) string { return name[strings.LastIndexAny(name, ".:")+1:] }

// nearestOf is the name that was probably meant: the one with the fewest letters to change, in all of it or in its last part
// alone, because what stands before that is often left out.
func nearestOf(name string, names []string) string {
	name = name[:min(len(name), 128)]
	slices.Sort(names)
	return slices.MinFunc(names, func(a, b string) int {
		return cmp.Or(
			cmp.Compare(distanceOf(name, a), distanceOf(name, b)),
			cmp.Compare(strings.Count(a, ":"), strings.Count(b, ":")), // the shorter way to write it
			cmp.Compare(editDistance(name, a), editDistance(name, b)),
		)
	})
}

// distanceOf is how far a name is from a known one; all that stands before the last part counts as one letter at most.
func distanceOf(name, known string) int {
	return min(editDistance(name, known), editDistance(lastPart(name), lastPart(known))+1)
}

// soundsSecret tells whether a name that is none here is that of a secret or of a place elsewhere in Jamf.
func soundsSecret(entry string) bool {
	last := strings.ToLower(lastPart(entry))
	return slices.ContainsFunc([]string{
		"password", "passcode", "recoverykey", "bypasscode", "unlocktoken", "bootstraptoken", "privatekey", "pushtoken", "latitude", "longitude",
		"pin", "secret", "lockcode", "unlockcode", "accesstoken", "refreshtoken",
	}, func(word string) bool { return strings.HasSuffix(last, word) })
}

// editDistance counts the letters to insert, drop or exchange, letter case aside.
func editDistance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, substitute)
		}
	}
	return row[len(b)]
}
