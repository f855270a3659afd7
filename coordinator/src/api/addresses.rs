//! How many connections each address has open: one that opens many keeps nobody else out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Open connections by address; of IPv6 the first 64 bits are one address, as one caller has them all.
#[derive(Debug)]
pub(super) struct Addresses {
    most: u32,
    open: Mutex<BTreeMap<IpAddr, u32>>,
}

/// One open connection; its place is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// At most so many of each.
    pub(super) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: Mutex::default(),
        })
    }

    /// A place for one more connection, if the address has fewer than its share.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = caller(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place {
            of: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

fn caller(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => {
            let prefix = u128::from(long) >> 64 << 64;
            IpAddr::V6(prefix.into())
        }
        short @ IpAddr::V4(_) => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_share_and_gets_it_back() {
        let addresses = Addresses::new(2);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let one = addresses.enter(ip("192.0.2.1")).unwrap();
        // The same caller, written as IPv6.
        let two = addresses.enter(ip("::ffff:192.0.2.1")).unwrap();
        assert!(addresses.enter(ip("192.0.2.1")).is_none());
        let other = addresses.enter(ip("192.0.2.2")).unwrap();
        drop(one);
        let again = addresses.enter(ip("192.0.2.1")).unwrap();
        drop((two, other, again));
        let long = addresses.enter(ip("2001:db8::1")).unwrap();
        let near = addresses.enter(ip("2001:db8::ffff:1")).unwrap();
        assert!(addresses.enter(ip("2001:db8::2")).is_none());
        assert!(addresses.enter(ip("2001:db8:0:1::2")).is_some());
        drop((long, near));
        assert!(addresses.open.lock().unwrap().is_empty());
    }
}
