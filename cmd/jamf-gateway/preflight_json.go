package main

import (
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// preflightAnswer is what --json prints.
type preflightAnswer struct {
	OK            bool              `json:"ok"`
	URL           string            `json:"url"`
	Steps         []server.TestStep `json:"steps"`
	JamfVersion   *string           `json:"jamfVersion"`
	TokenSeconds  int               `json:"tokenSeconds"` // 0 = no token was given
	RightsPresent []string          `json:"rightsPresent"`
	RightsMissing []string          `json:"rightsMissing"`
	RightsSurplus []string          `json:"rightsSurplus"`
	Kinds         []preflightKind   `json:"kinds"`
	Opened        []preflightOpened `json:"opened"`
	Problem       *server.TestStep  `json:"problem"` // why the devices could not be read to the end
}

type preflightKind struct {
	Kind              device.Kind `json:"kind"`
	Count             int         `json:"count"`
	Read              int         `json:"read"` // the counts below are of these
	Sampled           bool        `json:"sampled"`
	Unreadable        int         `json:"unreadable"`
	WithoutSerial     int         `json:"withoutSerial"`
	DuplicateSerials  int         `json:"duplicateSerials"`
	WithDuplicate     int         `json:"devicesWithDuplicateSerial"`
	Personal          int         `json:"personal"`
	OwnershipUnknown  int         `json:"ownershipUnknown"`
	FieldsToday       int         `json:"fieldsToday"`
	FieldsMinimal     int         `json:"fieldsMinimal"`
	SecondsToReadThem float64     `json:"secondsToReadAll"` // at Jamf's usual pace
}

type preflightOpened struct {
	What    string `json:"what"` // appLists, userNames, locations, deviceNames
	Today   int    `json:"devicesToday"`
	Minimal int    `json:"devicesMinimal"`
}

func (p preflighted) answer(s streams) preflightAnswer {
	out := preflightAnswer{
		OK: p.good(), URL: p.url, Steps: p.Test.Steps, JamfVersion: p.Test.JamfVersion, TokenSeconds: p.TokenSeconds,
		RightsPresent: p.Test.RightsPresent, RightsMissing: p.Test.RightsMissing, RightsSurplus: p.Test.RightsSurplus,
		Kinds: []preflightKind{}, Opened: []preflightOpened{},
	}
	for _, k := range p.Kinds {
		out.Kinds = append(out.Kinds, kindOfSurvey(k))
	}
	if len(p.Kinds) > 0 {
		for _, e := range exposures() {
			today, minimal := p.exposed(e.of)
			out.Opened = append(out.Opened, preflightOpened{e.name, today, minimal})
		}
	}
	if p.Problem != nil {
		e, _ := catalogue.Lookup(p.Problem.Code)
		out.Problem = &server.TestStep{Name: "devices", Result: "failed", Code: p.Problem.Code, Detail: p.Problem.Detail, Action: e.Action.In(s.lang)}
	}
	return out
}

func kindOfSurvey(k gateway.Survey) preflightKind {
	return preflightKind{
		Kind: k.Kind, Count: k.Count, Read: k.Read, Sampled: k.Sampled, Unreadable: k.Unreadable, WithoutSerial: k.WithoutSerial,
		DuplicateSerials: k.TwinSerials, WithDuplicate: k.TwinDevices, Personal: k.Personal, OwnershipUnknown: k.UnknownOwner,
		FieldsToday: k.Open.Fields, FieldsMinimal: k.Minimal.Fields, SecondsToReadThem: k.AllTakesAbout.Seconds(),
	}
}
