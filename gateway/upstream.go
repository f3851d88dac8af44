package gateway

import (
	"fmt"
	"net/url"

	"jamf-gateway/config"
	"jamf-gateway/gateway/jamf"
)

// buildUpstreams makes the client of every source; sources on one Jamf host share its budget.
func buildUpstreams(o Options) (map[string]*jamf.Source, error) {
	tel := jamf.Telemetry{TracerProvider: o.TracerProvider, MeterProvider: o.MeterProvider}
	hosts := map[string]*jamf.Host{}
	out := map[string]*jamf.Source{}
	for _, src := range o.Config.Sources {
		u, err := url.Parse(src.URL)
		if err != nil {
			return nil, fmt.Errorf("sources.%s.url: %w", src.Name, err)
		}
		authority := jamf.Authority(u)
		host := hosts[authority]
		if host == nil {
			host = jamf.NewHost(authority, jamf.Limits{Connections: src.Limits.Connections, RequestsPerSecond: src.Limits.RequestsPerSecond}, tel)
			hosts[authority] = host
		}
		out[src.Name], err = jamf.NewSource(host, jamf.SourceOptions{
			Name: src.Name, URL: src.URL, ClientID: src.ClientID, ClientSecret: src.ClientSecret.Reveal,
			AllowInsecureLoopback: src.AllowInsecureLoopback, UserAgent: "jamf-gateway/" + o.Version,
			PropagateTrace: o.Config.Telemetry.PropagateToJamf, Logger: o.Logger, Telemetry: tel,
		})
		if err != nil {
			return nil, fmt.Errorf("sources.%s: %w", src.Name, err)
		}
	}
	return out, nil
}

// wantedRights lists what the kinds of a source need.
func wantedRights(src config.Source) []string {
	var out []string
	for _, k := range kindsOf(src) {
		out = append(out, rights()[string(k)])
	}
	return out
}

func rights() map[string]string {
	return map[string]string{"computer": jamf.ReadComputers, "mobile": jamf.ReadMobileDevices}
}
