//! Every part of a publication, changed or left out, is named by both verifiers.

use coordinator::pooled as office;
use node::pooled as party;
use pooled::published::{Files, Part, verify};
use serde_json::Value;

use super::{NOW, Pool};

fn part(pool: &Pool, files: &Files) -> Option<Part> {
    let refused = verify(files, &pool.alliance, NOW).err();
    let part = refused
        .as_ref()
        .map(pooled::published::PublishedError::part);
    // The node's verifier reads the same from a folder.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("round");
    office::write_folder(files, &folder).unwrap();
    assert_eq!(&office::read_folder(&folder).unwrap(), files);
    let node = party::verify(&folder, &pool.alliance, NOW).err();
    assert_eq!(node.map(|error| error.part()), part, "{refused:?}");
    part
}

fn changed(files: &Files, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = files.clone();
    change(files.get_mut(name).unwrap());
    files
}

fn without(files: &Files, gone: impl Fn(&str) -> bool) -> Files {
    let left = files.iter().filter(|(name, _)| !gone(name));
    left.map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect()
}

/// A file read, changed and written again in canonical form.
fn rewritten(files: &Files, name: &str, change: impl FnOnce(&mut Value)) -> Files {
    changed(files, name, |bytes| {
        let mut value: Value = serde_json::from_slice(bytes).unwrap();
        change(&mut value);
        *bytes = serde_json::to_vec(&value).unwrap();
    })
}

fn list<'v>(value: &'v mut Value, path: &str) -> &'v mut Vec<Value> {
    value.pointer_mut(path).unwrap().as_array_mut().unwrap()
}

pub(super) fn each_is_checked(pool: &Pool, files: &Files) {
    assert_eq!(part(pool, files), None);
    let verified = verify(files, &pool.alliance, NOW).unwrap();
    assert!(verified.dissenters.is_empty());
    let found: Vec<Part> = verified.findings().iter().map(|found| found.0).collect();
    assert_eq!(
        found,
        [
            Part::KeyList,
            Part::Round,
            Part::Certificate,
            Part::Uploads,
            Part::MaskSums,
            Part::Totals
        ]
    );
    for (name, of) in [
        ("list-1.json", Part::KeyList),
        ("offer.json", Part::Round),
        ("certificate.json", Part::Certificate),
        ("upload-h02", Part::Uploads),
        ("totals.json", Part::Totals),
    ] {
        assert_eq!(
            part(pool, &without(files, |one| one == name)),
            Some(of),
            "{name}"
        );
        let length = files[name].len();
        for place in [0, length / 3, length / 2, length - 1] {
            let flipped = changed(files, name, |bytes| bytes[place] ^= 1);
            assert_eq!(part(pool, &flipped), Some(of), "{name} at {place}");
        }
        let cut = changed(files, name, |bytes| bytes.truncate(length - 1));
        assert_eq!(part(pool, &cut), Some(of), "{name} cut");
    }
    signatures(pool, files);
    sums(pool, files);
    let mut more = files.clone();
    more.insert("notes.txt".to_owned(), Vec::new());
    assert_eq!(part(pool, &more), Some(Part::Files));
    let mut more = files.clone();
    more.insert("upload-h05".to_owned(), files["upload-h01"].clone());
    assert_eq!(part(pool, &more), Some(Part::Files));
    let mut more = files.clone();
    more.insert("list-2.json".to_owned(), files["list-1.json"].clone());
    assert_eq!(part(pool, &more), Some(Part::Files));
    let swapped = changed(files, "upload-h01", |bytes| {
        bytes.clone_from(&files["upload-h02"]);
    });
    assert_eq!(part(pool, &swapped), Some(Part::Uploads));
}

/// Countersignatures and votes, one too few; a set with one hospital less under the same votes;
/// other totals, or less noise, than follow from the files.
fn signatures(pool: &Pool, files: &Files) {
    let few = rewritten(files, "list-1.json", |value| {
        list(value, "/countersigned").truncate(1);
    });
    assert_eq!(part(pool, &few), Some(Part::KeyList));
    let twice = rewritten(files, "list-1.json", |value| {
        let by = list(value, "/countersigned");
        by[1] = by[0].clone();
    });
    assert_eq!(part(pool, &twice), Some(Part::KeyList));
    let name = "certificate.json";
    // The same bytes again are the same publication: what follows fails for what it changes.
    assert_eq!(&rewritten(files, name, |_| ()), files);
    let few = rewritten(files, name, |value| list(value, "/votes").truncate(2));
    assert_eq!(part(pool, &few), Some(Part::Certificate));
    let less = rewritten(files, name, |value| {
        drop(list(value, "/survivors/uploads").pop());
    });
    assert_eq!(part(pool, &less), Some(Part::Certificate));
    let more = rewritten(files, "totals.json", |value| {
        let cell = &mut list(value, "/blocks/0/raw")[0];
        *cell = (cell.as_i64().unwrap() + 1).into();
    });
    assert_eq!(part(pool, &more), Some(Part::Totals));
    let quieter = rewritten(files, "totals.json", |value| {
        value["blocks"][0]["variance"] = "1".into();
    });
    assert_eq!(part(pool, &quieter), Some(Part::Totals));
}

/// Of each class two equal words are needed, and one vector that they name.
fn sums(pool: &Pool, files: &Files) {
    let class = files.keys().find(|name| name.starts_with("sum-")).unwrap();
    let (class, _) = class.rsplit_once('-').unwrap();
    let of: Vec<&String> = files
        .keys()
        .filter(|name| name.starts_with(class))
        .collect();
    assert!(of.len() >= 2, "{of:?}");
    let lone = without(files, |name| name.starts_with(class) && name != of[0]);
    assert_eq!(part(pool, &lone), Some(Part::MaskSums));
    let none = without(files, |name| name.starts_with(class));
    assert_eq!(part(pool, &none), Some(Part::MaskSums));
    let mut flipped = files.clone();
    for name in of {
        let bytes = flipped.get_mut(name).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }
    assert_eq!(part(pool, &flipped), Some(Part::MaskSums));
}
