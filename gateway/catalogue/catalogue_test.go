package catalogue_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/gateway/catalogue"
)

func TestEveryEntrySaysWhatWhyAndWhatToDoInBothLanguages(t *testing.T) {
	code := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, e := range catalogue.All() {
		t.Run(e.Code, func(t *testing.T) {
			if !code.MatchString(e.Code) {
				t.Errorf("code %q is not in snake_case", e.Code)
			}
			for _, l := range []catalogue.Language{catalogue.EN, catalogue.DE} {
				headline(t, l, e.Title.In(l))
				sentences(t, l, "cause", e.Cause.In(l))
				sentences(t, l, "action", e.Action.In(l))
				if strings.Contains(e.Action.In(l), ". ") {
					t.Errorf("%s action is more than one sentence: %q", l, e.Action.In(l))
				}
			}
			for what, text := range map[string]catalogue.Text{"title": e.Title, "cause": e.Cause, "action": e.Action} {
				if text.EN == text.DE {
					t.Errorf("%s is the same in both languages: %q", what, text.EN)
				}
			}
		})
	}
}

func headline(t *testing.T, l catalogue.Language, text string) {
	t.Helper()
	if text == "" || strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
		t.Errorf("%s title is no headline: %q", l, text)
	}
}

func sentences(t *testing.T, l catalogue.Language, what, text string) {
	t.Helper()
	if !strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text || strings.Contains(text, "  ") {
		t.Errorf("%s %s is no sentence that ends with a full stop: %q", l, what, text)
	}
}

func TestGermanIsWrittenWithUmlauts(t *testing.T) {
	transcribed := regexp.MustCompile(`(?i)\b(fuer|ueber\w*|pruefen|koennen|loesch\w*|moeglich\w*|geraet\w*|schluessel\w*|ungueltig\w*|zurueck\w*|aender\w*|muessen|oeffnen|ergaenzen)\b`)
	for _, e := range catalogue.All() {
		for _, text := range []string{e.Title.DE, e.Cause.DE, e.Action.DE} {
			if found := transcribed.FindString(text); found != "" {
				t.Errorf("%s: %q is written without its umlaut", e.Code, found)
			}
		}
	}
}

func TestNoCodeAndNoTitleStandsTwice(t *testing.T) {
	codes, titles := map[string]bool{}, map[string]string{}
	for _, e := range catalogue.All() {
		if codes[e.Code] {
			t.Errorf("code %q stands twice", e.Code)
		}
		codes[e.Code] = true
		for _, title := range []string{e.Title.EN, e.Title.DE} {
			if other, ok := titles[title]; ok {
				t.Errorf("%s and %s share the title %q", other, e.Code, title)
			}
			titles[title] = e.Code
		}
	}
}

func TestAllIsSortedAndFoundByLookup(t *testing.T) {
	all := catalogue.All()
	if !slices.IsSortedFunc(all, func(a, b catalogue.Entry) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the entries are not sorted by code")
	}
	for _, e := range all {
		got, ok := catalogue.Lookup(e.Code)
		if !ok || got != e {
			t.Errorf("Lookup(%q) = %v, %v; want the entry of All", e.Code, got, ok)
		}
	}
	if got, ok := catalogue.Lookup("no_such_code"); ok || got != (catalogue.Entry{}) {
		t.Errorf("Lookup of an unknown code = %v, %v", got, ok)
	}
}

// The codes are part of the API: one that disappears breaks somebody's program.
func TestEveryPublishedCodeStands(t *testing.T) {
	published := `
		auth_failed bad_request bad_request_upstream body_too_large breaker_open busy canceled connect_failed content_encoding
		count_mismatch cursor_expired cursor_invalid dns_failed empty_unconfirmed filter_not_supported forbidden forbidden_origin
		rate_limited headers_too_large hidden_field html_instead_of_json http_version internal invalid_client invalid_token jamf_cannot_render
		jamf_unavailable out_of_scope network_not_allowed kind_disabled kind_off method_not_allowed never_synced no_progress not_found not_fresh not_ready
		order_not_rising overdue page_size_too_large profile_changed redirect_refused request_malformed request_timeout
		right_missing rights_surplus rights_unknown sort_not_supported source_disabled stale stale_limit store_corrupt store_error
		store_full store_locked store_lost store_newer sync_running test_running throttled timeout tls_failed token_refused too_large
		too_many_devices too_many_quarantined unauthorized unexpected_answer unknown_device unknown_device_stale unknown_method unknown_parameter
		unknown_source unsupported_media_type held not_held upstream_not_found url_invalid answer_too_large
		public_url_missing client_secret_wrong client_secret_mistyped client_secret_expired door_dns_failed door_connect_failed door_timeout door_plain_http door_intermediate_missing
		door_self_signed door_unknown_authority door_certificate_expired door_certificate_expires door_wrong_name door_tls_failed
		door_redirect door_html door_bad_gateway door_path_lost door_query_lost door_authorization_lost door_token_foreign
		door_body_changed door_refused door_host_lost misdirected audit_failed audit_full admin_token too_many_attempts passthrough_failed passthrough_paused`
	for code := range strings.FieldsSeq(published) {
		if _, ok := catalogue.Lookup(code); !ok {
			t.Errorf("code %q has no entry", code)
		}
	}
}

func TestAnUnknownLanguageReadsEnglish(t *testing.T) {
	text := catalogue.Text{EN: "yes", DE: "ja"}
	for l, want := range map[catalogue.Language]string{"en": "yes", "de": "ja", "fr": "yes", "": "yes"} {
		if got := text.In(l); got != want {
			t.Errorf("In(%q) = %q, want %q", l, got, want)
		}
	}
}
