package jamf_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/jamf"
)

func TestRightsAreReadInEveryShapeThatJamfUses(t *testing.T) {
	both := []string{jamf.ReadComputers, jamf.ReadMobileDevices}
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"by site, global":    {`{"account":{"privilegesBySite":{"-1":["Read Mobile Devices","Read Computers"]}},"sites":[]}`, both},
		"by site, several":   {`{"account":{"privilegesBySite":{"1":["Read Computers"],"2":["Read Mobile Devices","Read Computers"]}}}`, both},
		"account.privileges": {`{"account":{"privileges":["Read Computers","Read Mobile Devices"]}}`, both},
		"objects":            {`{"privileges":[{"name":"Read Computers"},{"name":"Read Mobile Devices","x":1}]}`, both},
		"authorizations":     {`{"authorizations":["Read Computers"],"privileges":["Read Mobile Devices"]}`, both},
		"groups":             {`{"accountGroups":[{"privileges":["Read Computers"]},{"privileges":["Read Mobile Devices"]}]}`, both},
		"odd types":          {`{"account":{"privilegesBySite":{"1":null,"2":"x","3":[1,null,{"name":2},"Read Computers"]},"privileges":{}},"authorizations":7}`, both[:1]},
		"nothing":            {`{"account":null}`, nil},
		"empty lists":        {`{"account":{"privilegesBySite":{"-1":[]}}}`, nil},
	} {
		got, err := jamf.ReadRights([]byte(c.body))
		if err != nil || !cmp.Equal(got.Privileges, c.want) || got.Known != (len(c.want) > 0) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, c.want)
		}
		for _, right := range both {
			if got.Has(right) != strings.Contains(strings.Join(c.want, ","), right) {
				t.Errorf("%s: Has(%s) = %v", name, right, got.Has(right))
			}
		}
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{"a":`} {
		_, err := jamf.ReadRights([]byte(body))
		must(t, err, jamf.ErrSchema, "unexpected_answer")
	}
	_, err := jamf.ReadRights([]byte("<html>"))
	must(t, err, jamf.ErrSchema, "html_instead_of_json")
}

func TestRightsAndVersionAreAskedForByTheirPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, script(answers{
			"/api/v1/auth":             say(200, `{"account":{"privilegesBySite":{"-1":["Read Computers"]}}}`),
			"/api/v1/jamf-pro-version": say(200, "{\n  \"version\" : \"10.42.1-t1667311080\"\n}"),
		}), fast, nil)
		w := r.src.NewWalk()
		rights, err := w.Rights(t.Context())
		if err != nil || !rights.Has(jamf.ReadComputers) || rights.Has(jamf.ReadMobileDevices) {
			t.Errorf("rights %+v, %v", rights, err)
		}
		if v, err := w.Version(t.Context()); err != nil || v != "10.42.1-t1667311080" {
			t.Errorf("version %q, %v", v, err)
		}
	})
}

func TestAVersionThatIsNoneIsRefused(t *testing.T) {
	for _, body := range []string{`{}`, `{"version":7}`, `{"version":""}`, `{"version":"<b>"}`, `{"version":"` + strings.Repeat("1", 65) + `"}`, `[]`, `{"version":"1\n2"}`} {
		synctest.Test(t, func(t *testing.T) {
			r := connect(t, script(answers{"/api/v1/jamf-pro-version": say(200, body)}), fast, nil)
			_, err := r.src.NewWalk().Version(t.Context())
			must(t, err, jamf.ErrSchema, "unexpected_answer")
		})
	}
}

func TestMissingIntrospectionIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, script(nil), fast, nil)
		_, err := r.src.NewWalk().Rights(t.Context())
		must(t, err, jamf.ErrNotFound, "not_found")
		_, err = r.src.NewWalk().Version(t.Context())
		must(t, err, jamf.ErrNotFound, "not_found")
	})
}
