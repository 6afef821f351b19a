//! Throttle: how often somebody may try. Each key (a name, an address) has some tries at once, and then one every so often;
//! the generic cell rate algorithm, with the time handed in.

use crate::domain::Timestamp;
use crate::domain::problem::Problem;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many keys are remembered; the one that is free again soonest gives way.
const REMEMBERED: usize = 10_000;

/// How often one key may try.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// How many times at once.
    pub burst: i64,
    /// How long one try takes to come back, in milliseconds.
    pub every: i64,
}

/// The key of an address: of the newer kind, whoever has one has all that begin with the same 64 bits.
pub fn network(from: &str) -> String {
    match from.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(_)) | Err(_) => from.to_owned(),
    }
}

/// Counts tries.
#[derive(Clone, Debug, Default)]
pub struct Throttle(Arc<Mutex<HashMap<String, i64>>>);

impl Throttle {
    /// Takes a try away from the key; refused, with the wait, when there is none left.
    pub fn take(&self, key: &str, allowance: Allowance, now: Timestamp) -> Result<(), Problem> {
        let mut free_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // When all tries of this key will have come back.
        let full = free_at.get(key).copied().unwrap_or(0).max(now.0);
        let wait = full + allowance.every - now.0 - allowance.every * allowance.burst;
        if wait > 0 {
            return Err(Problem::TooMany { seconds: (wait + 999) / 1000 });
        }
        if free_at.len() >= REMEMBERED {
            free_at.retain(|_, full| *full > now.0);
        }
        if free_at.len() >= REMEMBERED
            && let Some(soonest) = free_at.iter().min_by_key(|(_, full)| **full).map(|(key, _)| key.clone())
        {
            free_at.remove(&soonest);
        }
        free_at.insert(key.to_owned(), full + allowance.every);
        Ok(())
    }

    /// Gives the key one try back, which was no wrong one.
    pub fn give_back(&self, key: &str, allowance: Allowance) {
        if let Some(full) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key) {
            *full -= allowance.every;
        }
    }

    /// Gives the key all its tries back.
    pub fn forgive(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIVE: Allowance = Allowance { burst: 5, every: 1000 };

    #[test]
    fn a_burst_then_one_every_so_often_for_each_key_alone() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.take("ada", FIVE, Timestamp(10)), Ok(()));
        }
        assert_eq!(throttle.take("ada", FIVE, Timestamp(10)), Err(Problem::TooMany { seconds: 1 }));
        assert_eq!(throttle.take("grace", FIVE, Timestamp(10)), Ok(()));
        assert_eq!(throttle.take("ada", FIVE, Timestamp(1010)), Ok(()));
        assert!(throttle.take("ada", FIVE, Timestamp(1011)).is_err());
        throttle.give_back("ada", FIVE);
        assert_eq!(throttle.take("ada", FIVE, Timestamp(1011)), Ok(()));
        assert!(throttle.take("ada", FIVE, Timestamp(1011)).is_err());
        throttle.give_back("nobody", FIVE);
        throttle.forgive("ada");
        assert_eq!(throttle.take("ada", FIVE, Timestamp(1012)), Ok(()));
    }

    #[test]
    fn an_address_of_the_newer_kind_stands_for_its_network() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network(""), "");
    }

    proptest! {
        #[test]
        fn no_more_than_the_burst_and_what_came_back(gaps in prop::collection::vec(0..3000_i64, 1..200)) {
            let throttle = Throttle::default();
            let (mut now, mut taken) = (1_000_000, 0);
            let begun = now;
            for gap in gaps {
                now += gap;
                taken += i64::from(throttle.take("ada", FIVE, Timestamp(now)).is_ok());
                prop_assert!(taken <= FIVE.burst + (now - begun) / FIVE.every);
            }
        }

        #[test]
        fn what_is_remembered_has_a_limit(keys in 0..3_u8) {
            let throttle = Throttle::default();
            for number in 0..REMEMBERED + usize::from(keys) {
                let _ = throttle.take(&number.to_string(), FIVE, Timestamp(5));
            }
            let kept = throttle.0.lock().unwrap_or_else(PoisonError::into_inner).len();
            prop_assert!(kept <= REMEMBERED);
        }
    }
}
