// Package jamf is the way out: tokens, the budget towards a Jamf host, and pages.
// It knows HTTP and Jamf's API, and nothing of devices.
//
// A call takes a token, then passes the Host (throttle and breaker pauses, semaphore, rate limiter, breaker), then is one
// timed attempt whose body is read to its end inside the breaker; Walk decides whether there is another attempt.
package jamf
