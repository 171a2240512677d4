package portal

import "time"

// A Day is a date in UTC: days since 1970-01-01. 0 is none.
type Day int32

const secondsOfDay = 24 * 60 * 60

// DayOf is the day of a time after 1970; none of one before.
func DayOf(t time.Time) Day { return Day(max(t.Unix(), 0) / secondsOfDay) }

// String is the date as in RFC 3339, 2026-08-01; "" for none.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return time.Unix(int64(d)*secondsOfDay, 0).UTC().Format(time.DateOnly)
}

// A Use says that a member was allowed something on an account, on a day (requirements 95,
// 116). It is no finer on purpose: reviews need no more, and of when people come and go
// there is to be no record.
type Use struct {
	Account AccountID
	User    UserID
	Day     Day
}
