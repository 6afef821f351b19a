//! How points in time and spans are written for people: in UTC, the same on the server and in the browser.

use super::Timestamp;

impl Timestamp {
    /// As RFC 3339 has it, to the second: `2026-11-25T09:30:00Z`.
    pub fn rfc3339(self) -> String {
        format!("{}Z", self.civil())
    }

    /// As RFC 3339 has it, to the millisecond: `2026-11-25T09:30:00.042Z`.
    pub fn rfc3339_milliseconds(self) -> String {
        format!("{}.{:03}Z", self.civil(), self.0.rem_euclid(1000))
    }

    fn civil(self) -> String {
        let seconds = self.0.div_euclid(1000);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }

    /// For people: `25 Nov 2026, 09:30:00 UTC`.
    pub fn long(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let seconds = self.0.div_euclid(1000);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or("");
        format!("{day} {month} {year}, {:02}:{:02}:{:02} UTC", second / 3600, second / 60 % 60, second % 60)
    }

    /// How long before `now` it was: `just now`, `5 minutes ago`, `3 days ago`.
    pub fn ago(self, now: Self) -> String {
        let seconds = now.since(self) / 1000;
        let (count, unit) = match seconds {
            ..10 => return "just now".into(),
            10..60 => (seconds, "second"),
            60..3600 => (seconds / 60, "minute"),
            3600..86_400 => (seconds / 3600, "hour"),
            86_400..2_592_000 => (seconds / 86_400, "day"),
            2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
            31_536_000.. => (seconds / 31_536_000, "year"),
        };
        format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
    }
}

/// A span of milliseconds: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
pub fn span(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        ..10 => format!("{}.{} s", seconds, milliseconds % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600.. => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Year, month and day of a day that is counted from 1970-01-01, in the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last one; eras are 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_764_063_000_000, "2025-11-25T09:30:00Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(milliseconds).rfc3339(), expected);
        }
        assert_eq!(Timestamp(1_764_063_000_000).long(), "25 Nov 2025, 09:30:00 UTC");
    }

    #[test]
    fn spans_are_short() {
        let now = Timestamp(100_000_000_000);
        for (seconds, expected) in [
            (-5, "just now"),
            (9, "just now"),
            (10, "10 seconds ago"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
            (40_000_000, "1 year ago"),
        ] {
            assert_eq!(now.plus(-seconds * 1000).ago(now), expected);
        }
        for (milliseconds, expected) in
            [(0, "0.0 s"), (1_450, "1.4 s"), (12_000, "12 s"), (185_000, "3 min 05 s"), (7_800_000, "2 h 10 min")]
        {
            assert_eq!(span(milliseconds), expected);
        }
    }
}
