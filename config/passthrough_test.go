package config_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

func TestFurtherPathsAreOffAndReadAsTheyStand(t *testing.T) {
	if c := parse(t, small); c.Sources[0].Passthrough != nil || c.Clients[0].Passthrough {
		t.Error("passed on without being asked for")
	}
	listed := strings.Replace(small, "client_id: cid", `passthrough: [{path: /v1/departments}, {path: "/v1/computer-groups/{id}", ttl: 10m}], client_id: cid`, 1)
	c := parse(t, listed)
	want := []config.Passthrough{{Path: "/v1/departments", TTL: time.Hour}, {Path: "/v1/computer-groups/{id}", TTL: 10 * time.Minute}}
	if diff := cmp.Diff(want, c.Sources[0].Passthrough); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Text, "no client may use it") {
		t.Errorf("warnings %v", c.Warnings)
	}
	if c = parse(t, strings.Replace(small, "id: inventory360", "id: inventory360, passthrough: true", 1)); len(c.Warnings) != 1 ||
		!strings.Contains(c.Warnings[0].Text, "no source of this client") {
		t.Errorf("warnings %v", c.Warnings)
	}
}

func TestAViewBesideFurtherPathsIsWarnedOf(t *testing.T) {
	both := strings.Replace(small, "client_id: cid", "passthrough: [{path: /v1/departments}], client_id: cid", 1)
	for _, c := range []struct {
		client string
		warned int
	}{
		{"passthrough: true", 0},
		{"passthrough: true, view: {sentinels: drop, names: keep}", 0},
		{"passthrough: true, view: {sites: [North]}", 1},
		{"passthrough: true, view: {managed_only: true}", 1},
		{"passthrough: true, view: {duplicates: newest}", 1},
		{"passthrough: true, view: {users: drop}", 1},
	} {
		got := parse(t, strings.Replace(both, "id: inventory360", "id: inventory360, "+c.client, 1)).Warnings
		if len(got) != c.warned || c.warned == 1 && (!strings.Contains(got[0].Text, "does not hold for paths") || !strings.Contains(got[0].German(), "gilt nicht für durchgereichte")) {
			t.Errorf("%s: warnings %v", c.client, got)
		}
	}
}

// TestPathsThatCanShowSecretsAreRefused goes through the GET paths of Jamf Pro 11.30 outside of what the gateway serves itself: the harmless ones
// may be listed, and no other.
func TestPathsThatCanShowSecretsAreRefused(t *testing.T) {
	for path := range strings.FieldsSeq(`
		account-preferences accounts account-groups activation-code activation-code/organization-name activation-code/history pki/adcs-settings/{id}
		pki/certificate-authority/active pki/digicert/trust-lifecycle-manager/{id} pki/venafi/{id} adue-session-token-settings auth api-integrations api-integrations/{id}
		api-roles api-role-privileges apns-client-push-status app-installers/deployments cache-settings classic-ldap/{id} cloud-azure/servers/{id}
		cloud-distribution-point cloud-idp cloud-information cloud-ldaps/{id} ldap-keystore/verify ldap/servers computer-extension-attributes/{id}
		computer-groups/smart-group-membership/{id} computer-inventory-collection-settings computer-prestages/{id} conditional-access/settings csa/token
		csa/tenant-id ddm/{id}/status-items deploy-package device-enrollments/{id} distribution-points distribution-points/{id} dss-declarations/{id}
		enrollment enrollment/access-management enrollment-customizations/{id} gsx-connection icon/{id} icon/download/{id} inventory-preload/records
		last-login jamf-connect/config-profiles jamf-protect jamf-protect/plans jamf-remote-assist/session jamf-pro-server-url jcds/files
		local-admin-password/pending-rotations local-admin-password/{id}/accounts log-flushing login-customization m2m/tenant-id mdm/commands
		mdm-renewal/device-common-details/{id} mobile-device-apps mobile-device-enrollment-profile/{id}/download-profile mobile-device-extension-attributes
		mobile-device-groups/smart-group-membership/{id} mobile-device-groups/static-group-membership/{id} mobile-device-prestages notifications
		oauth2/session-tokens oidc/public-key onboarding packages parent-app patch-policies patch-software-title-configurations policy-properties
		reenrollment remote-administration-configurations return-to-service return-to-service/{id} scripts/{id} self-service/branding/ios
		service-discovery-enrollment/well-known-settings slasa smtp-server sso sso/cert sso/failover supervision-identities supervision-identities/{id}
		teacher-app team-viewer-remote-administration/{id} tomcat-settings user-sessions/active volume-purchasing-locations/{id} vpp-admin-accounts
		webhooks/{id} wifi/{id} infrastructure/vault activation-lock-bypass-codes recovery-settings`) {
		if config.RefusedPath("/v1/"+path) == "" {
			t.Errorf("%s can be passed on", path)
		}
	}
	for path := range strings.FieldsSeq(`
		advanced-mobile-device-searches advanced-user-content-searches/{id} app-request/settings app-store-country-codes bookmarks buildings/{id}
		categories check-in computer-groups computer-groups/{id} computer-groups/smart-groups computer-groups/static-groups/{id}
		departments departments/{id} device-communication-settings dock-items/{id} ebooks engage groups inventory-information jamf-pro-information locales
		managed-software-updates/plans mobile-device-groups mobile-device-groups/smart-groups/{id} sites static-user-groups time-zones user-groups users/{id}`) {
		if why := config.RefusedPath("/v1/" + path); why != "" {
			t.Errorf("%s cannot be passed on: %s", path, why)
		}
	}
}

// TestNoPathOfJamfsDocumentIsPassedOnBeyondTwo holds the table against the part of Jamf's document that is about devices.
func TestNoPathOfJamfsDocumentIsPassedOnBeyondTwo(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", "jamf-openapi", "jamf-pro-11.30.2-inventory-subset.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("needs shared/jamf-openapi beside the checkout")
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err == nil {
		err = json.Unmarshal(b, &document)
	}
	if err != nil || len(document.Paths) < 50 {
		t.Fatalf("%d paths, %v", len(document.Paths), err)
	}
	var open []string
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		if document.Paths[path]["get"] != nil && config.RefusedPath(path) == "" {
			open = append(open, path)
		}
	}
	if diff := cmp.Diff([]string{"/v1/inventory-information", "/v2/jamf-pro-information"}, open); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
