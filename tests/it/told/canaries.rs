//! What must stand nowhere in what is told, in whatever way it is written, and the search for it.

use std::path::Path;

use super::Place;
use crate::hospital::bytes_below;

pub(super) const PATIENT: &str = "CANARYPATIENT71";
pub(super) const NAME: &str = "甘纳瑞";
pub(super) const SETTLEMENT: &str = "CANARYSETTLE";
/// Sound, and refused for the next ones' reasons.
pub(super) const AMOUNTS: [&str; 3] = ["7654321.09", "6543210.98", "5432109.87"];

/// Ways in which bytes could be written.
fn encodings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = secret.iter().map(ToString::to_string).collect();
    let mut all = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        list.join(", ").into_bytes(),
        list.join(",").into_bytes(),
    ];
    // At each of the three places of a byte in base64, in both alphabets.
    for shift in 0..3 {
        let mut padded = vec![0; shift];
        padded.extend(secret);
        let text = base64(&padded);
        let whole = &text[4 * shift.min(1)..text.len() - 4];
        all.push(whole.as_bytes().to_vec());
        all.push(whole.replace('+', "-").replace('/', "_").into_bytes());
    }
    all
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|chunk| {
        let mut word = [0; 3];
        word[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        let digit = |n: u32| char::from(ALPHABET[(bits >> (18 - 6 * n)) as usize & 63]);
        (0..4).map(digit).collect::<String>()
    });
    groups.collect()
}

/// The secret part of every key below a folder, by file.
fn keys(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for (path, bytes) in bytes_below(folder) {
        let name = path.display().to_string();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // PKCS#8 of Ed25519 and of P-256 hold the private number at fixed places.
        let of_pkcs8 = |der: &[u8]| match der.len() {
            ..=90 => der[16..48].to_vec(),
            _ => der[36..68].to_vec(),
        };
        if text.contains("PRIVATE KEY") {
            let body: String = text.lines().filter(|line| !line.contains("KEY")).collect();
            found.push((name, of_pkcs8(&decoded(&body))));
        } else if name.ends_with(".pk8") {
            found.push((name, of_pkcs8(&bytes)));
        } else if name.ends_with(".key") && !name.ends_with("alliance.key") {
            found.push((name, bytes[..bytes.len().min(32)].to_vec()));
        }
    }
    found
}

fn decoded(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text
        .bytes()
        .filter(|c| *c != b'=')
        .map(|c| u32::from(digit(c)))
        .collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = group.iter().zip([18, 12, 6, 0]).map(|(d, s)| d << s);
        let bytes = bits.sum::<u32>().to_be_bytes();
        bytes[1..group.len()].to_vec()
    });
    groups.collect()
}

fn stands_in(bytes: &[u8], needle: &[u8]) -> bool {
    // A search over text is much faster, and all but raw keys is text.
    match (std::str::from_utf8(bytes), std::str::from_utf8(needle)) {
        (Ok(text), Ok(needle)) => text.contains(needle),
        (Ok(_), Err(_)) => false,
        _ => bytes.windows(needle.len()).any(|window| window == needle),
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let secret: Vec<u8> = (0..32).map(|n| n * 7 + 3).collect();
    assert_eq!(decoded(&base64(&secret[..30])), &secret[..30]);
    let hex: String = secret.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut spoken = vec![
        format!("{secret:?}").into_bytes(),
        hex.into_bytes(),
        secret.clone(),
    ];
    for before in 0..4 {
        let text: Vec<u8> = std::iter::repeat_n(9, before)
            .chain(secret.clone())
            .collect();
        spoken.push(base64(&text).into_bytes());
    }
    for text in spoken {
        let found = encodings(&secret).iter().any(|way| stands_in(&text, way));
        assert!(found, "{}", String::from_utf8_lossy(&text));
    }
}

/// Looks for all canaries in all that was told.
pub(super) fn search(place: &Place, codes: &[String]) {
    let list = std::fs::read_to_string(place.at("files/planted.txt")).unwrap();
    let mut needles: Vec<(String, Vec<u8>)> = Vec::new();
    let mut needle = |what: &str, value: &str| {
        needles.push((format!("{what} {value}"), value.as_bytes().to_vec()));
    };
    for value in list
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').nth(3))
    {
        if value.len() >= 6 {
            needle("planted", value);
        }
    }
    for value in [PATIENT, NAME, SETTLEMENT, "110101199003074514"] {
        needle("planted", value);
    }
    for amount in AMOUNTS {
        needle("amount", amount);
        needle("amount", &amount.replace('.', ""));
    }
    // Settlement numbers of other rows too.
    let source = std::fs::read_to_string(place.at("files/h01.csv")).unwrap();
    for line in source.lines().skip(1).step_by(4) {
        let number = line.split(',').next().unwrap();
        if number.len() >= 8 {
            needle("settlement", number);
        }
    }
    let mut found_keys = 0;
    for data in ["hub", "h01", "h02", "h03", "audit"] {
        for (file, secret) in keys(&place.at(data)) {
            found_keys += 1;
            for way in encodings(&secret) {
                needles.push((format!("key {file}"), way));
            }
        }
    }
    assert!(found_keys >= 20, "{found_keys} keys");
    let mut bytes = 0;
    for told in &place.told {
        for (stream, text) in [("out", &told.out), ("err", &told.err)] {
            bytes += text.len();
            // A trial shows ten rows as they would be kept, amounts too: to the hospital itself.
            let trial = stream == "out" && told.what.contains("\"map\", \"test\"");
            for (what, value) in &needles {
                if trial && what.starts_with("amount") {
                    continue;
                }
                assert!(
                    !stands_in(text, value),
                    "{what} in standard {stream} of {}:\n{}",
                    told.what,
                    String::from_utf8_lossy(text)
                );
            }
            let shown = stream == "out" && told.what.contains("\"invite\"");
            for code in codes.iter().filter(|_| !shown) {
                assert!(
                    !stands_in(text, code.as_bytes()),
                    "a join code in {}",
                    told.what
                );
            }
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains("panicked"), "{}: {text}", told.what);
        }
    }
    // That the search would find something: the logs are as long as they should be.
    assert!(
        bytes > 100_000 && place.told.len() >= 90,
        "{bytes} {}",
        place.told.len()
    );
    println!(
        "row 37: {} values in none of {} outputs, {bytes} bytes",
        needles.len(),
        place.told.len()
    );
}
