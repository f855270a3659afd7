use super::*;
use proptest::prelude::*;

/// The eight leaves of Certificate Transparency's reference tests.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Their roots for sizes 1 to 8.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |d: u8| u8::try_from(char::from(d).to_digit(16).unwrap()).unwrap();
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|p| digit(p[0]) << 4 | digit(p[1])).collect()
}

fn digest(hex: &str) -> Digest {
    hex.parse().unwrap()
}

fn leaves(n: u64) -> Vec<Digest> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn log(leaves: &[Digest]) -> Log {
    let mut log = Log::default();
    for leaf in leaves {
        log.append(*leaf).unwrap();
    }
    log
}

/// RFC 6962 §2.1 word for word.
fn mth(d: &[Digest]) -> Digest {
    match d {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let k = d.len().next_power_of_two() / 2;
            node_hash(&mth(&d[..k]), &mth(&d[k..]))
        }
    }
}

/// RFC 6962 §2.1.1 word for word.
fn path(m: usize, d: &[Digest]) -> Vec<Digest> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = d.len().next_power_of_two() / 2;
    let (mut rest, other) = if m < k {
        (path(m, &d[..k]), mth(&d[k..]))
    } else {
        (path(m - k, &d[k..]), mth(&d[..k]))
    };
    rest.push(other);
    rest
}

/// RFC 6962 §2.1.2 word for word.
fn subproof(m: usize, d: &[Digest], b: bool) -> Vec<Digest> {
    if m == d.len() {
        return if b { Vec::new() } else { vec![mth(d)] };
    }
    let k = d.len().next_power_of_two() / 2;
    let (mut rest, other) = if m <= k {
        (subproof(m, &d[..k], b), mth(&d[k..]))
    } else {
        (subproof(m - k, &d[k..], false), mth(&d[..k]))
    };
    rest.push(other);
    rest
}

#[test]
fn roots_of_the_reference_tests() {
    assert_eq!(
        empty_root(),
        digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), empty_root());
    let hashes: Vec<Digest> = LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect();
    for (leaf, expected) in hashes.iter().zip(ROOTS) {
        frontier.append(*leaf).unwrap();
        assert_eq!(frontier.root(), digest(expected));
    }
    assert_eq!(root(hashes), Ok(digest(ROOTS[7])));
}

#[test]
fn proofs_of_the_reference_tests() {
    let hashes: Vec<Digest> = LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect();
    let log = log(&hashes);
    let path = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(log.inclusion(5, 8).unwrap(), path.map(digest));
    let proof = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(log.consistency(6, 8).unwrap(), proof.map(digest));
}

#[test]
fn every_small_tree_agrees_with_the_definition() {
    let all = leaves(130);
    let log = log(&all);
    for n in 0..=130_usize {
        let size = n as u64;
        let root = mth(&all[..n]);
        assert_eq!(super::root(all[..n].iter().copied()), Ok(root));
        assert_eq!(log.root_at(size), Ok(root));
        for m in 0..n {
            let index = m as u64;
            let proof = log.inclusion(index, size).unwrap();
            assert_eq!(proof, path(m, &all[..n]));
            assert_eq!(verify_inclusion(all[m], index, size, &proof, &root), Ok(()));
        }
        for m in 0..=n {
            let (old, before) = (m as u64, mth(&all[..m]));
            let proof = log.consistency(old, size).unwrap();
            if m > 0 {
                assert_eq!(proof, subproof(m, &all[..n], true));
            }
            assert_eq!(
                verify_consistency((old, &before), (size, &root), &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn another_number_size_leaf_or_root_is_refused() {
    let all = leaves(40);
    let log = log(&all);
    for size in 2..=40_u64 {
        let root = log.root_at(size).unwrap();
        for index in 0..size {
            let proof = log.inclusion(index, size).unwrap();
            let leaf = all[usize::try_from(index).unwrap()];
            for other in (0..size).filter(|other| *other != index) {
                assert!(verify_inclusion(leaf, other, size, &proof, &root).is_err());
            }
            let refused = verify_inclusion(leaf, size, size, &proof, &root);
            assert_eq!(refused, Err(TreeError::NoSuchLeaf));
            let other = leaf_hash(b"other");
            assert!(verify_inclusion(other, index, size, &proof, &root).is_err());
            assert!(verify_inclusion(leaf, index, size, &proof, &other).is_err());
            assert!(verify_inclusion(leaf, index, size, &proof[1..], &root).is_err());
            let longer = [&proof[..], &[root]].concat();
            assert!(verify_inclusion(leaf, index, size, &longer, &root).is_err());
        }
    }
}

#[test]
fn a_changed_or_forked_log_is_refused() {
    let all = leaves(40);
    let honest = log(&all);
    for old in 1..40_u64 {
        let before = honest.root_at(old).unwrap();
        for new in old + 1..=40 {
            let after = honest.root_at(new).unwrap();
            let proof = honest.consistency(old, new).unwrap();
            let mut changed = all.clone();
            changed[usize::try_from(old - 1).unwrap()] = leaf_hash(b"changed");
            let fork = log(&changed);
            let forked = fork.root_at(new).unwrap();
            for proof in [&proof, &fork.consistency(old, new).unwrap()] {
                assert!(verify_consistency((old, &before), (new, &forked), proof).is_err());
            }
            for (wrong_old, wrong_new) in [(old - 1, new), (old, 2 * new), (new, old)] {
                assert!(
                    verify_consistency((wrong_old, &before), (wrong_new, &after), &proof).is_err()
                );
            }
            for position in 0..proof.len() {
                let mut shorter = proof.clone();
                shorter.remove(position);
                assert!(verify_consistency((old, &before), (new, &after), &shorter).is_err());
            }
        }
    }
}

#[test]
fn sizes_and_lengths_are_bounded() {
    let hash = empty_root();
    let long = vec![hash; MAX_PROOF + 1];
    let inclusion = |size, path: &[Digest]| verify_inclusion(hash, 0, size, path, &hash);
    let consistency = |size, path: &[Digest]| verify_consistency((1, &hash), (size, &hash), path);
    assert_eq!(inclusion(9, &long), Err(TreeError::Length));
    assert_eq!(consistency(9, &long), Err(TreeError::Length));
    for size in [MAX_SIZE + 1, 1 << 63, u64::MAX] {
        assert_eq!(inclusion(size, &[]), Err(TreeError::TooLarge));
        assert_eq!(consistency(size, &[]), Err(TreeError::TooLarge));
    }
    assert_eq!(inclusion(0, &[]), Err(TreeError::NoSuchLeaf));
    assert_eq!(inclusion(MAX_SIZE, &[hash; 62]), Err(TreeError::Root));
    let log = Log::default();
    assert_eq!(log.consistency(1, 2), Err(TreeError::Sizes));
    assert_eq!(log.inclusion(0, 2), Err(TreeError::Sizes));
    assert_eq!(log.root_at(1), Err(TreeError::Sizes));
}

#[test]
fn the_longest_proof_of_the_largest_tree_fits() {
    let mut most = 0;
    // Along the path of 2^61 + 1 in a tree of 2^62 every level needs a hash, and the old peak too.
    let peaks = vec![format!("\"{}\"", empty_root()); 62].join(",");
    let stored = format!("{{\"peaks\":[{peaks}],\"size\":{}}}", MAX_SIZE - 1);
    let mut frontier: Frontier = schemas::canonical::from_bytes(stored.as_bytes()).unwrap();
    frontier.append(empty_root()).unwrap();
    assert_eq!(frontier.append(empty_root()), Err(TreeError::TooLarge));
    let (mut low, mut high, old) = (0, MAX_SIZE, 1_u64 + (1 << 61));
    while old < high {
        let middle = low + split(high - low);
        most += 1;
        if old <= middle {
            high = middle;
        } else {
            low = middle;
        }
    }
    assert_eq!(most + 1, MAX_PROOF);
}

#[test]
fn a_stored_frontier_goes_on_and_a_wrong_one_is_refused() {
    let all = leaves(23);
    let mut frontier = Frontier::default();
    for leaf in &all {
        let stored = schemas::canonical::to_bytes(&frontier).unwrap();
        frontier = schemas::canonical::from_bytes(&stored).unwrap();
        frontier.append(*leaf).unwrap();
    }
    assert_eq!((frontier.size(), frontier.root()), (23, mth(&all)));
    let text = String::from_utf8(schemas::canonical::to_bytes(&frontier).unwrap()).unwrap();
    for (from, to) in [
        ("\"size\":23", "\"size\":22"),
        ("\"size\":23", "\"size\":9223372036854775808"),
        ("\"peaks\":[", "\"peak\":["),
    ] {
        let wrong = text.replace(from, to);
        assert_ne!(wrong, text);
        assert!(schemas::canonical::from_bytes::<Frontier>(wrong.as_bytes()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_tree_proves_itself_and_no_flipped_bit(
        new in 2_u64..3000, a in any::<u64>(), b in any::<u64>(), bit in 0_usize..256,
    ) {
        let all = leaves(new);
        let log = log(&all);
        let root = mth(&all);
        prop_assert_eq!(log.root_at(new), Ok(root));
        let index = a % new;
        let leaf = all[usize::try_from(index).unwrap()];
        let path = log.inclusion(index, new).unwrap();
        prop_assert_eq!(verify_inclusion(leaf, index, new, &path, &root), Ok(()));
        let old = 1 + b % (new - 1);
        let before = mth(&all[..usize::try_from(old).unwrap()]);
        let proof = log.consistency(old, new).unwrap();
        prop_assert_eq!(verify_consistency((old, &before), (new, &root), &proof), Ok(()));

        let flip = |digest: Digest| {
            let mut bytes = *digest.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Digest::from_bytes(bytes)
        };
        for position in 0..path.len() {
            let mut wrong = path.clone();
            wrong[position] = flip(wrong[position]);
            prop_assert!(verify_inclusion(leaf, index, new, &wrong, &root).is_err());
        }
        for position in 0..proof.len() {
            let mut wrong = proof.clone();
            wrong[position] = flip(wrong[position]);
            prop_assert!(verify_consistency((old, &before), (new, &root), &wrong).is_err());
        }
        prop_assert!(verify_consistency((old, &flip(before)), (new, &root), &proof).is_err());
        prop_assert!(verify_consistency((old, &before), (new, &flip(root)), &proof).is_err());
    }
}
