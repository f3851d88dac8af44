package syncer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

func TestADisabledSourceIsFrozenAndItsMetricsSayWhy(t *testing.T) {
	bubble(t, fleet(3, 1), []device.Kind{device.Computer, device.Mobile}, func(h *house) {
		h.start()
		if h.metric("jamf_data_stale") != 0 || h.metric("jamf_source_disabled") != 0 {
			t.Errorf("active: stale %v, disabled %v", h.metric("jamf_data_stale"), h.metric("jamf_source_disabled"))
		}
		h.stop()
		h.source.Disabled = true
		h.start()
		st := h.syncer.Status()[0]
		if k := st.Kinds[0]; !st.Disabled || k.State != "disabled" || k.Reason != "source_disabled" || !k.NextSync.IsZero() {
			t.Errorf("%+v", st)
		}
		// What lists call stale, the metric calls stale; the alarms leave disabled sources out by their own metric.
		if h.metric("jamf_data_stale") != 2 || h.metric("jamf_source_disabled") != 1 || h.metric("jamf_devices") != 4 {
			t.Errorf("disabled: stale %v, disabled %v, devices %v", h.metric("jamf_data_stale"), h.metric("jamf_source_disabled"), h.metric("jamf_devices"))
		}
	})
}

func TestAFailureHasItsTimeAndGoesWithTheNextSuccess(t *testing.T) {
	jam := fleet(3, 0)
	jam.page = func(context.Context, jamf.List, int, int) (*jamf.Page, error) {
		time.Sleep(7 * time.Second)
		return nil, &jamf.Error{Kind: jamf.ErrUnavailable, Status: 503, Code: "jamf_unavailable"}
	}
	bubble(t, jam, onlyMacs, func(h *house) {
		began := time.Now()
		h.start()
		time.Sleep(time.Minute)
		st := h.status(device.Computer)
		if st.ErrorCode != "jamf_unavailable" || !st.ErrorAt.Equal(began.Add(7*time.Second)) || !st.LastAttempt.Equal(began) {
			t.Errorf("%+v", st)
		}
		if !strings.Contains(h.logs.String(), "served=nothing") {
			t.Errorf("the log: %s", h.logs.String())
		}
		jam.mu.Lock()
		jam.page = nil
		jam.mu.Unlock()
		h.sync()
		if st := h.status(device.Computer); st.ErrorCode != "" || !st.ErrorAt.IsZero() {
			t.Errorf("after a good one: %+v", st)
		}
	})
}
