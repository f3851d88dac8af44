package device

import (
	"maps"
	"slices"
)

// normalizedValue reads a value of the normalized device that is a field of Jamf's, as AppendNormalized writes it.
func normalizedValue(name string, reads valueType) func(f *facts) any {
	switch reads {
	case readsNumber:
		return func(f *facts) any {
			n, ok := parseInteger(f.find(name))
			return integerFact(n, ok && n > 0)
		}
	case readsTime:
		return func(f *facts) any {
			at, known, _ := parseTime(f.find(name))
			return timeFact(at, known)
		}
	case readsDate:
		return func(f *facts) any {
			date, ok := parseDate(f.find(name))
			if !ok {
				return nil
			}
			return timeFact(parseInstant(string(date)))
		}
	default:
		return func(f *facts) any { return plain(f.find(name), reads) }
	}
}

// derivedValues are those that are more than a field of Jamf's read as its type.
func derivedValues() map[string]func(f *facts) any {
	values := map[string]func(f *facts) any{}
	maps.Copy(values, derivedHardware())
	maps.Copy(values, derivedStates())
	maps.Copy(values, derivedCellular())
	return values
}

// derivedHardware is what the device is.
func derivedHardware() map[string]func(f *facts) any {
	return map[string]func(f *facts) any{
		"deviceType":   func(f *facts) any { return f.deviceType() },
		"manufacturer": func(f *facts) any { return textFact(f.manufacturer()) },
		"identity.serialNumber": func(f *facts) any {
			return textFact([]byte(parseSerial(f.find("identity.serialNumber"))))
		},
		"identity.barcodes": barcodes,
		"os.platform": func(f *facts) any {
			if f.osUnseen() {
				return nil
			}
			return f.platform()
		},
		"os.name": func(f *facts) any {
			if f.osUnseen() {
				return nil
			}
			return textFact(f.osName())
		},
		"os.versionNormalized": func(f *facts) any {
			if version := versionNormalized(f.find("os.version")); version != "" {
				return versionKey(version)
			}
			return nil
		},
		"hardware.memoryBytes": func(f *facts) any {
			n, ok := parseBytes(f.find("hardware.memoryBytes"))
			return integerFact(n, ok && n > 0)
		},
		"hardware.storage.totalBytes":     func(f *facts) any { return integerFact(f.storageBytes()) },
		"hardware.storage.availableBytes": func(f *facts) any { return integerFact(parseBytes(f.find("hardware.storage.availableBytes"))) },
		"hardware.battery.percent":        func(f *facts) any { return integerFact(f.batteryPercent()) },
		"hardware.macAddresses.address":   macAddresses,
		"network.reportedIpV4":            func(f *facts) any { return textFact(f.reportedIP(4)) },
		"network.reportedIpV6":            func(f *facts) any { return textFact(f.reportedIP(6)) },
		"purchasing.price":                func(f *facts) any { return numberFact(parseNumber(string(parsePrice(f.find("purchasing.price"))))) },
	}
}

// osUnseen tells that nothing is known to make a platform of. A mobile device always has one, of its type: whether anything else of its system came
// would be told by it to those who are not shown that.
func (f *facts) osUnseen() bool { return f.schema.kind == Computer && !f.shown("os") }

// derivedStates is how the device is managed and secured, and its groups.
func derivedStates() map[string]func(f *facts) any {
	values := map[string]func(f *facts) any{
		"management.automatedEnrollment": func(f *facts) any { return boolFact(f.automatedEnrollment()) },
		"security.diskEncryption.state": func(f *facts) any {
			if !f.shown("security.diskEncryption") {
				return nil
			}
			state, _ := f.diskEncryption()
			return state
		},
		"security.diskEncryption.raw": func(f *facts) any {
			_, raw := f.diskEncryption()
			return textFact(raw)
		},
		"security.sip":                    func(f *facts) any { return boolFact(f.sip()) },
		"security.gatekeeper.enabled":     func(f *facts) any { return boolFact(f.gatekeeper()) },
		"security.gatekeeper.raw":         func(f *facts) any { return textFact(f.find("security.gatekeeper")) },
		"security.bootstrapTokenEscrowed": func(f *facts) any { return boolFact(f.bootstrapToken()) },
		"groups.id":                       func(f *facts) any { return f.groups(func(at int32) []byte { return f.memberText(at, "groupId") }) },
		"groups.name": func(f *facts) any {
			return f.groups(func(at int32) []byte { return f.content(f.memberNamed(at, "groupName")) })
		},
	}
	for name, word := range map[string]func(string) string{
		"hardware.battery.health": batteryHealth, "management.ownership": ownership, "security.secureBoot": secureBoot,
		"security.attestation": attestation,
	} {
		values[name] = func(f *facts) any {
			if text := f.find(name); text != nil {
				return word(string(text))
			}
			return nil
		}
	}
	return values
}

// derivedCellular is what the device is to a mobile network.
func derivedCellular() map[string]func(f *facts) any {
	values := map[string]func(f *facts) any{
		"cellular.homeCountry": func(f *facts) any {
			country, _ := homeCountry(f.find("cellular.homeCountry"))
			return textFact(country)
		},
		"cellular.mcc": func(f *facts) any {
			_, mcc := homeCountry(f.find("cellular.homeCountry"))
			return textFact(mcc)
		},
	}
	for _, key := range []string{"imei", "meid", "iccid", "eid"} {
		values["cellular."+key] = func(f *facts) any { return textFact(hexDigits(f.find("cellular." + key))) }
		values["cellular.subscriptions."+key] = func(f *facts) any { return f.subscriptions(key, hexDigits) }
	}
	values["cellular.subscriptions.phoneNumber"] = func(f *facts) any {
		return f.subscriptions("phoneNumber", func(text []byte) []byte { return text })
	}
	return values
}

func barcodes(f *facts) any {
	var out []string
	for _, n := range f.schema.sources["identity.barcodes"] {
		out = appendText(out, f.known(f.at[n.id]))
	}
	return many(out)
}

func macAddresses(f *facts) any {
	var out []string
	for _, n := range f.schema.sources["hardware.macAddresses"] {
		if address, known, _ := parseMAC(f.known(f.at[n.id])); known && !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return many(out)
}

func (f *facts) subscriptions(key string, form func([]byte) []byte) any {
	var out []string
	f.elements(f.entryAt("serviceSubscriptions[]"), func(at int32) {
		out = appendText(out, form(f.memberText(at, key)))
	})
	return many(out)
}

// groups lists a text of each group. Of groups with one id that have several names each name counts, other than on the
// device: a name does not hang on an id that the caller may not see.
func (f *facts) groups(text func(at int32) []byte) any {
	array := "groups[]"
	if f.schema.kind == Computer {
		array = "groupMemberships[]"
	}
	var out []string
	f.elements(f.entryAt(array), func(at int32) { out = appendText(out, text(at)) })
	return many(out)
}
