package fakejamf

// computerCaching writes CONTENT_CACHING: an object of nulls for most Macs, a whole one for the few that cache.
func (w *world) computerCaching(o *writer, c *computer, _ int) {
	d := w.dice(kindComputer, saltCaching, c.row.id)
	active := d.permille(30)
	o.openObject()
	o.id("computerContentCachingInformationId", c.row.id)
	cachingPeers(o, &d, active)
	o.yes("activated", active)
	o.yes("active", active)
	o.num("actualCacheBytesUsed", d.n(1<<40))
	o.array("cacheDetails")
	if active {
		o.openObject()
		o.str("computerContentCachingCacheDetailsId", "1")
		o.str("categoryName", "iCloud")
		o.num("diskSpaceBytesUsed", d.n(1<<36))
		o.closeObject()
	}
	o.closeArray()
	o.num("cacheBytesFree", 23_353_884_672)
	o.num("cacheBytesLimit", 0)
	o.str("cacheStatus", "OK")
	o.num("cacheBytesUsed", d.n(1<<40))
	o.yes("dataMigrationCompleted", false)
	o.num("dataMigrationProgressPercentage", 0)
	o.null("dataMigrationError")
	o.num("maxCachePressureLast1HourPercentage", 0)
	o.num("personalCacheBytesFree", 0)
	o.num("personalCacheBytesLimit", 0)
	o.num("personalCacheBytesUsed", 0)
	o.num("port", 0)
	o.str("publicAddress", c.publicIP)
	o.str("registrationError", pick(&d, []string{absent, "NOT_ACTIVATED"}))
	o.num("registrationResponseCode", 403)
	o.date("registrationStarted", c.report)
	o.str("registrationStatus", pick(&d, []string{"CONTENT_CACHING_FAILED", "CONTENT_CACHING_PENDING", "CONTENT_CACHING_SUCCEEDED"}))
	o.yes("restrictedMedia", false)
	o.str("serverGuid", d.uuid(true))
	o.str("startupStatus", "FAILED")
	o.str("tetheratorStatus", "CONTENT_CACHING_DISABLED")
	o.date("totalBytesAreSince", c.report)
	for _, k := range [...]string{"Dropped", "Imported", "ReturnedToChildren", "ReturnedToClients", "ReturnedToPeers", "StoredFromOrigin", "StoredFromParents", "StoredFromPeers"} {
		o.num("totalBytes"+k, 0)
	}
	o.closeObject()
}

func cachingPeers(o *writer, d *dice, active bool) {
	o.array("parents")
	if active {
		o.openObject()
		o.str("contentCachingParentId", "1")
		o.str("address", "10.1.0.7")
		o.null("alerts")
		o.null("details")
		o.str("guid", d.uuid(true))
		o.yes("healthy", true)
		o.num("port", 49_152)
		o.str("version", "331")
		o.closeObject()
	}
	o.closeArray()
	o.array("alerts")
	o.closeArray()
}
