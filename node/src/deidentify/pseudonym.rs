//! Keyed BLAKE3 hashes of 16 bytes. Every part is preceded by its length, every use has its own
//! first byte, so that no two tuples share an input.

use crate::config::keys::PseudonymKey;
use crate::ingest::row::Row;

/// Makes the pseudonyms of one data year.
#[derive(Debug)]
pub(super) struct Pseudonyms {
    key: PseudonymKey,
    input: Vec<u8>,
}

impl Pseudonyms {
    pub(super) fn new(key: PseudonymKey) -> Self {
        Self {
            key,
            input: Vec::new(),
        }
    }

    pub(super) fn check_value(&self) -> String {
        self.key.check_value()
    }

    /// Patient and stay by the patient's number and the settlement number.
    pub(super) fn of_settlement(&mut self, patient: &[u8], number: &[u8]) -> ([u8; 16], [u8; 16]) {
        let stay = self.hash(b's', &[patient, number]);
        (self.hash(b'p', &[patient]), stay)
    }

    /// Patient and stay where the source has no settlement number: the stay is its whole row.
    pub(super) fn of_whole_row(&mut self, patient: &[u8], row: &Row) -> ([u8; 16], [u8; 16]) {
        let mut lengths = Vec::with_capacity(row.width() * 8);
        for length in row.lengths() {
            lengths.extend_from_slice(&length.to_le_bytes());
        }
        let stay = self.hash(b'w', &[patient, &lengths, row.bytes()]);
        (self.hash(b'p', &[patient]), stay)
    }

    /// Patient and stay where every row is its own patient.
    pub(super) fn of_row(&mut self, file: &[u8], row: u64) -> ([u8; 16], [u8; 16]) {
        let row = row.to_le_bytes();
        (
            self.hash(b'r', &[file, &row]),
            self.hash(b't', &[file, &row]),
        )
    }

    fn hash(&mut self, purpose: u8, parts: &[&[u8]]) -> [u8; 16] {
        self.input.clear();
        self.input.push(purpose);
        for part in parts {
            self.input.extend_from_slice(&part.len().to_le_bytes());
            self.input.extend_from_slice(part);
        }
        let hash = blake3::keyed_hash(self.key.expose(), &self.input);
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_patient_has_one_pseudonym_a_key_and_parts_do_not_move() {
        let key = PseudonymKey::random().unwrap();
        let mut one = Pseudonyms::new(key.clone());
        let mut same = Pseudonyms::new(key);
        let mut other = Pseudonyms::new(PseudonymKey::random().unwrap());
        let (patient, stay) = one.of_settlement(b"p1", b"s1");
        assert_eq!(same.of_settlement(b"p1", b"s1"), (patient, stay));
        assert_eq!(one.of_settlement(b"p1", b"s2").0, patient);
        assert_ne!(one.of_settlement(b"p1", b"s2").1, stay);
        assert_ne!(one.of_settlement(b"p1s", b"1").1, stay);
        assert_ne!(other.of_settlement(b"p1", b"s1").0, patient);
        assert_ne!(one.of_row(b"f", 1).0, one.of_row(b"f", 2).0);
    }
}
