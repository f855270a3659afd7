//! Every part of a publication, changed or left out, is named by both verifiers.

use coordinator::pooled as office;
use node::pooled as party;
use pooled::key_list::SignedList;
use pooled::published::{Files, Part, verify};
use pooled::survivors::Certificate;
use schemas::canonical;

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
fn rewritten<T>(files: &Files, name: &str, change: impl FnOnce(&mut T)) -> Files
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    changed(files, name, |bytes| {
        let mut value: T = canonical::from_bytes(bytes).unwrap();
        change(&mut value);
        *bytes = canonical::to_bytes(&value).unwrap();
    })
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

/// Countersignatures and votes, one too few; a set with one hospital less under the same votes.
fn signatures(pool: &Pool, files: &Files) {
    let few = rewritten::<SignedList>(files, "list-1.json", |list| list.countersigned.truncate(1));
    assert_eq!(part(pool, &few), Some(Part::KeyList));
    let twice = rewritten::<SignedList>(files, "list-1.json", |list| {
        list.countersigned[1] = list.countersigned[0].clone();
    });
    assert_eq!(part(pool, &twice), Some(Part::KeyList));
    let name = "certificate.json";
    let few = rewritten::<Certificate>(files, name, |one| one.votes.truncate(2));
    assert_eq!(part(pool, &few), Some(Part::Certificate));
    let less = rewritten::<Certificate>(files, name, |one| drop(one.survivors.uploads.pop()));
    assert_eq!(part(pool, &less), Some(Part::Certificate));
    let written = rewritten::<pooled::published::Written>(files, "totals.json", |totals| {
        totals.blocks[0].raw[0] += 1;
    });
    assert_eq!(part(pool, &written), Some(Part::Totals));
    let quieter = rewritten::<pooled::published::Written>(files, "totals.json", |totals| {
        totals.blocks[0].variance = "1".to_owned();
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
