package syncer_test

import (
	"testing"

	"jamf-gateway/gateway/device"
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
