package device

// AppendApplications appends what is installed on a device: {"uid": ..., "items": [...]}. Items stand in Jamf's order,
// and none is left out; items is null where the profile keeps no applications or Jamf did not send them. A value that
// the kind does not have is null: path, sizeBytes and fromAppStore are a Mac's, managementStatus a mobile device's.
// The error is *RecordError, and dst as it was.
func AppendApplications(dst []byte, v View) ([]byte, error) {
	r, err := read(v.Kind, v.Profile, v.Record)
	if err != nil {
		return dst, err
	}
	defer r.release()
	w := &writer{reader: r, dst: dst}
	w.raw(`{"uid":`).string(UID(v.Source, v.Kind, v.ID)).raw(`,"items":`)
	if !w.shown("applications") {
		return append(w.null().dst, '}'), nil
	}
	bundle, short := "identifier", "shortVersion"
	if v.Kind == Computer {
		bundle, short = "bundleId", "cfBundleShortVersionString"
	}
	w.raw(`[`)
	first := true
	w.elements(w.entryAt("applications[]"), func(at int32) {
		w.comma(&first).raw(`{"name":`).verbatim(w.memberNamed(at, "name")).raw(`,"bundleId":`).orNull(w.memberText(at, bundle))
		w.raw(`,"version":`).orNull(w.memberText(at, "version")).raw(`,"shortVersion":`).orNull(w.memberText(at, short))
		w.raw(`,"path":`).verbatim(w.memberNamed(at, "path"))
		size, known := parseInteger(w.memberText(at, "sizeMegabytes"))
		w.raw(`,"sizeBytes":`).integer(size*bytesPerMegabyte, known && size > 0 && size < 1<<40)
		w.raw(`,"fromAppStore":`).tristate(parseBool(w.memberText(at, "macAppStore")))
		w.raw(`,"managementStatus":`).orNull(w.memberText(at, "managementStatus")).raw(`}`)
	})
	return append(w.dst, `]}`...), nil
}
