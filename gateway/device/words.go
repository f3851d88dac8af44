package device

// The words of the normalized device for Jamf's. Jamf adds words between releases: one that is not known here is "unknown".

const unknown = "unknown"

func batteryHealth(jamf string) string {
	switch jamf {
	case "NORMAL":
		return "normal"
	case "NON_GENUINE":
		return "non-genuine"
	case "SERVICE_RECOMMENDED":
		return "service-recommended"
	case "UNSUPPORTED":
		return "unsupported"
	default:
		return unknown
	}
}

func ownership(jamf string) string {
	switch jamf {
	case "Institutional":
		return "institutional"
	case "UserEnrollment":
		return "user-enrolled"
	case "AccountDrivenUserEnrollment":
		return "account-driven-user"
	case "AccountDrivenDeviceEnrollment":
		return "account-driven-device"
	default:
		return unknown
	}
}

func secureBoot(jamf string) string {
	switch jamf {
	case "FULL_SECURITY":
		return "full"
	case "MEDIUM_SECURITY":
		return "medium"
	case "NO_SECURITY":
		return "none"
	case "NOT_SUPPORTED":
		return "not-supported"
	default:
		return unknown
	}
}

func attestation(jamf string) string {
	switch jamf {
	case "PENDING":
		return "pending"
	case "SUCCESS":
		return "success"
	case "CERTIFICATE_INVALID":
		return "certificate-invalid"
	case "DEVICE_PROPERTIES_MISMATCH":
		return "device-properties-mismatch"
	case "MDA_UNSUPPORTED_DUE_TO_HARDWARE":
		return "unsupported-hardware"
	case "MDA_UNSUPPORTED_DUE_TO_SOFTWARE":
		return "unsupported-software"
	default:
		return unknown
	}
}

func attributeType(jamf string) string {
	switch jamf {
	case "STRING":
		return "string"
	case "INTEGER":
		return "integer"
	case "DATE", "DATE_TIME":
		return "date"
	default:
		return unknown
	}
}

// adapterType tells from Jamf's key which adapter a hardware address belongs to.
func adapterType(key string) string {
	switch key {
	case "macAddress":
		return "primary"
	case "altMacAddress":
		return "alternate"
	case "wifiMacAddress":
		return "wifi"
	default:
		return "bluetooth"
	}
}

// partitionState is the state of disk encryption by Jamf's word for the boot partition, unknown where it does not tell.
func partitionState(jamf string) string {
	switch jamf {
	case "ENCRYPTED":
		return "encrypted"
	case "ENCRYPTING", "ENCRYPTING_PAUSED", "OPTIMIZING":
		return "encrypting"
	case "DECRYPTING", "DECRYPTING_PAUSED":
		return "decrypting"
	case "DECRYPTED", "UNENCRYPTED":
		return "unencrypted"
	case "INELIGIBLE":
		return "ineligible"
	default:
		return unknown
	}
}

// systemState is the same by Jamf's word for the whole computer. SOME_ENCRYPTED does not tell of the boot volume.
func systemState(jamf string) string {
	switch jamf {
	case "ALL_ENCRYPTED", "BOOT_ENCRYPTED":
		return "encrypted"
	case "NOT_ENCRYPTED":
		return "unencrypted"
	case "NOT_APPLICABLE":
		return "ineligible"
	default:
		return unknown
	}
}
